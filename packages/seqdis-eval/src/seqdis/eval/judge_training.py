"""Training a judge on real clips, measuring it, and keeping it beside a run."""

from __future__ import annotations

import contextlib
import copy
import hashlib
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from seqdis.core.analysis import evaluating
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.subset import Subset
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.core.random import mix_seed
from seqdis.eval.judges import Judge, JudgeAccuracy, SequenceJudge

__all__ = ["JudgeBudget", "judge_for", "measure_judge", "predict_all", "train_judge"]


@dataclass(frozen=True)
class JudgeBudget:
    """How long a judge may learn; counted in steps, for a limit in seconds would not repeat.

    Attributes:
        steps: At most so many optimiser steps.
        batch_size: Clips a step.
        lr: Adam's rate, falling to 0 along a cosine.
        check_every: Steps between looks at the held-out part of the training split.
        good_enough: Stop at this share of held-out clips with all labels right.
        noise: Standard deviation, in units of the data's, of noise added to training clips, so
            that differences which nobody can see do not sway the judge.
    """

    steps: int = 600
    batch_size: int = 64
    lr: float = 2e-3
    check_every: int = 50
    good_enough: float = 0.999
    noise: float = 0.2


def predict_all(judge: Judge, dataset: SequenceDataset, *, batch_size: int = 256) -> dict[str, Tensor]:
    """The judge's classes of every clip, each ``(N,)``."""
    parts = []
    for start in range(0, len(dataset), batch_size):
        batch = dataset.fetch(range(start, min(start + batch_size, len(dataset))))
        parts.append(judge.predict(batch.x, batch.mask))
    return {name: torch.cat([part[name] for part in parts]) for name in judge.labels}


def measure_judge(judge: Judge, dataset: SequenceDataset) -> JudgeAccuracy:
    """Accuracy on real clips."""
    predicted, truth = predict_all(judge, dataset), dataset.all_labels()
    right = {name: predicted[name] == truth[name] for name in judge.labels}
    joint = torch.stack(list(right.values())).all(0)
    return JudgeAccuracy(
        joint=joint.double().mean().item(),
        labels={name: hit.double().mean().item() for name, hit in right.items()},
        n=len(dataset),
    )


def train_judge(
    train_set: SequenceDataset,
    *,
    seed: int = 0,
    budget: JudgeBudget = JudgeBudget(),
    device: torch.device | str = "cpu",
    width: int | None = None,
    progress: Progress | None = None,
) -> SequenceJudge:
    """Train a judge on the training split; the best on a tenth held out of it is returned.

    The same seed gives the same judge (on one CPU; on a GPU up to its rounding).

    Args:
        train_set: Labelled real clips.
        seed: Of the weights, the order, the noise, and the part held out.
        budget: When to stop.
        device: Where to train and to stay.
        width: See :class:`SequenceJudge`.
        progress: Called with steps done and allowed.

    Raises:
        InputError: The split has no labels or fewer than 20 clips.
    """
    if len(train_set) < 20:
        raise InputError(f"a judge needs at least 20 training clips; got {len(train_set)}")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, 1))
        judge = SequenceJudge(labels=train_set.labels, frame_shape=train_set.shape[1:], width=width).to(
            device
        )
    generator = torch.Generator().manual_seed(mix_seed(seed, 2))
    order = torch.randperm(len(train_set), generator=generator)
    held = Subset(train_set, order[: len(order) // 10].tolist())
    rest = order[len(order) // 10 :]
    optimizer = torch.optim.Adam(judge.parameters(), lr=budget.lr, foreach=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.steps)
    best, best_state = -1.0, copy.deepcopy(judge.state_dict())
    size, epoch, queue = min(budget.batch_size, len(rest)), 0, torch.empty(0, dtype=torch.long)
    for step in range(1, budget.steps + 1):
        if len(queue) < size:
            # The rest of an epoch that does not fill a batch is left for another order.
            queue, epoch = rest[torch.randperm(len(rest), generator=generator)], epoch + 1
        batch = train_set.fetch(queue[:size].tolist(), epoch=epoch)
        queue = queue[size:]
        noise = torch.randn(batch.x.shape, generator=generator) * (budget.noise * batch.x.std())
        targets = {name: value.to(device) for name, value in batch.labels.items()}
        mask = None if batch.mask is None else batch.mask.to(device)
        judge.train()
        logits = judge((batch.x + noise).to(device), mask)
        loss = torch.stack([nn.functional.cross_entropy(logits[n], targets[n]) for n in judge.labels]).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % budget.check_every == 0 or step == budget.steps:
            with evaluating(judge):
                accuracy = measure_judge(judge, held).joint
            if accuracy > best:
                best, best_state = accuracy, copy.deepcopy(judge.state_dict())
            if accuracy >= budget.good_enough:
                break
        if progress is not None:
            progress(step, budget.steps)
    if progress is not None:
        progress(budget.steps, budget.steps)
    judge.load_state_dict(best_state)
    return judge.eval()


def judge_for(
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    path: Path | None = None,
    shared: Path | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    budget: JudgeBudget = JudgeBudget(),
    progress: Progress | None = None,
) -> tuple[SequenceJudge, JudgeAccuracy]:
    """The judge kept at ``path``, or in ``shared``, if it came from the same clips, seed and budget; else a new one.

    Args:
        train_set: What it learns from.
        test_set: What its accuracy is measured on.
        path: A safetensors file, read or written; nothing is kept when omitted.
        shared: A folder with the judges of many runs, each under a name that its origin gives: runs on the same
            clips then share one. A file in it that cannot be read is replaced; one that cannot be written is
            left out.
        seed: See :func:`train_judge`.
        device: See :func:`train_judge`.
        budget: See :func:`train_judge`.
        progress: See :func:`train_judge`.
    """
    origin = _origin(train_set, test_set, seed, budget)
    if path is not None and path.is_file():
        judge, accuracy, came_from = SequenceJudge.load(path)
        if came_from == origin:
            return judge.to(device), accuracy
    common = None if shared is None else shared / f"{origin[:32]}.safetensors"
    found = None if common is None else _shared(common, origin)
    if found is None:
        judge = train_judge(train_set, seed=seed, budget=budget, device=device, progress=progress)
        accuracy = measure_judge(judge, test_set)
        if common is not None:
            with contextlib.suppress(OSError):  # it is kept in the run's folder as well
                common.parent.mkdir(parents=True, exist_ok=True)
                judge.save(common, accuracy=accuracy, origin=origin)
    else:
        judge, accuracy = found[0].to(device), found[1]
    if path is not None:
        judge.save(path, accuracy=accuracy, origin=origin)
    return judge, accuracy


def _shared(path: Path, origin: str) -> tuple[SequenceJudge, JudgeAccuracy] | None:
    if not path.is_file():
        return None
    try:
        judge, accuracy, came_from = SequenceJudge.load(path)
    except InputError:
        return None
    return (judge, accuracy) if came_from == origin else None


def _origin(train_set: SequenceDataset, test_set: SequenceDataset, seed: int, budget: JudgeBudget) -> str:
    # Labels in full and the first clips: enough to tell datasets, sizes and seeds apart.
    digest = hashlib.sha256(f"{seed} {budget}".encode())
    for dataset in (train_set, test_set):
        digest.update(f"{len(dataset)} {dataset.shape} {sorted(dataset.labels.items())}".encode())
        digest.update(dataset.fetch(range(min(8, len(dataset)))).x.numpy().tobytes())
        for name, value in sorted(dataset.all_labels().items()):
            digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest()
