"""Training a judge on real clips, and measuring it."""

from __future__ import annotations

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from seqdis.core.analysis import evaluating
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.subset import Subset
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.core.random import mix_seed
from seqdis.eval.judge.interface import Judge
from seqdis.eval.judge.judge_accuracy import JudgeAccuracy
from seqdis.eval.judge.sequence_judge import SequenceJudge

__all__ = ["JudgeBudget", "measure_judge", "predict_all", "train_judge"]


@dataclass(frozen=True)
class JudgeBudget:
    """Limits on the training of a judge; counted in steps, for a limit in seconds would not repeat.

    Attributes:
        steps: Largest number of optimiser steps.
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
        seed: Seed of the weights, the order, the noise, and the part held out.
        budget: Limits on the training.
        device: Device on which the judge is trained and stays.
        width: Width, as in :class:`SequenceJudge`.
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
