"""Dependent against independent prior, as DiffSDA's App. G.1 compares them, in a judge's feature space.

``python -m seqdis.eval.prior_kinds RUN --out results/prior-NAME.json``
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.analysis import encode_dataset, evaluating, generate
from seqdis.core.cli.model import config_of, load_model
from seqdis.core.cli.output import progress_bar
from seqdis.core.data.sequence import SequenceDataset
from seqdis.core.disentangler import Disentangler, Progress
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.priors.latent_ddim import LatentDDIM
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.core.priors.store import prior_config
from seqdis.core.registry import build_dataset
from seqdis.core.results import Metric, ResultRecord, device_name, installed_versions
from seqdis.eval.judge_training import judge_for
from seqdis.eval.judges import SequenceJudge
from seqdis.eval.metrics.frechet import frechet_distance

__all__ = ["compare_priors"]

KINDS = {"dependent": True, "independent": False}


def compare_priors(
    model: Disentangler,
    judge: SequenceJudge,
    known: Factors,
    real: Tensor,
    config: LatentDDIMConfig,
    *,
    seeds: Sequence[int],
    count: int,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> dict[str, list[float]]:
    """Fréchet distance of generated clips from real ones, for both kinds of prior.

    Args:
        model: Trained.
        judge: Whose features are compared.
        known: Factors of the training split.
        real: Features of real held-out clips, ``(M, F)``.
        config: Of the priors but for ``dependent`` and ``seed``.
        seeds: Each fits and draws anew.
        count: Clips for each.
        batch_size: Clips a pass.
        progress: Called with clips done and in all.

    Returns:
        By kind, one distance a seed. Both kinds decode from the same noise.
    """
    total, done = len(KINDS) * len(seeds) * count, 0
    distances: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for seed in seeds:
        for kind, dependent in KINDS.items():
            settings = config.model_copy(update={"dependent": dependent, "seed": seed})
            prior = LatentDDIM.for_factors(settings, known, device=model.device)
            prior.fit(known)
            drawn = generate(
                model, prior, count, generator=torch.Generator().manual_seed(seed), batch_size=batch_size
            )
            distances[kind].append(frechet_distance(_features(judge, drawn.frames), real))
            done += count
            if progress is not None:
                progress(done, total)
    return distances


@torch.no_grad()
def _features(judge: SequenceJudge, frames: Tensor) -> Tensor:
    device = next(judge.parameters()).device
    return torch.cat([judge.features(part.to(device)).cpu() for part in frames.split(256)])


def _real_features(judge: SequenceJudge, dataset: SequenceDataset, chosen: Sequence[int]) -> Tensor:
    parts = [dataset.fetch(chosen[i : i + 256]).x for i in range(0, len(chosen), 256)]
    return torch.cat([_features(judge, part) for part in parts])


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a run; the exit code is 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(prog="python -m seqdis.eval.prior_kinds", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN")
    parser.add_argument("--data", type=Path, help="the dataset's folder; below $SEQDIS_DATA by default")
    parser.add_argument("--out", type=Path, required=True, help="results/prior-NAME.json")
    parser.add_argument("--count", type=int, default=512, help="clips for each prior and seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, help="noise levels of the sampler; the model's when omitted")
    parser.add_argument("--device")
    options = parser.parse_args(arguments)
    words = [
        "python",
        "-m",
        "seqdis.eval.prior_kinds",
        *(arguments if arguments is not None else sys.argv[1:]),
    ]
    try:
        record = _measure(options, shlex.join(words))
        record.save(options.out)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for name, metric in record.metrics.items():
        print(f"{name:44} {metric.value:10.5g}")
    print(f"written: {options.out}")
    return 0


def _measure(options: argparse.Namespace, command: str) -> ResultRecord:
    started = time.perf_counter()
    if options.count < 2 or options.seeds < 1:
        raise InputError(
            f"--count {options.count}, --seeds {options.seeds}: allowed: a count from 2, seeds from 1"
        )
    model = load_model(options.run, device=options.device, steps=options.steps)
    config = config_of(model)
    train_set, test_set = (
        build_dataset(config.modality, config.data, split, root=options.data, seed=config.train.seed)
        for split in ("train", "test")
    )
    if not test_set.labels:
        raise InputError(f"{options.run}: its data carry no labels, which a judge learns its features from")
    settings = prior_config(config.prior, "latent_ddim", {})
    if not isinstance(settings, LatentDDIMConfig):
        raise InputError(f"{options.run}: a preset with a latent DDIM is needed; got {config.prior.kind!r}")
    with progress_bar("training the judge") as progress:
        judge, accuracy = judge_for(
            train_set, test_set, path=options.run / "judge.safetensors", seed=config.train.seed,
            device=model.device, progress=progress,
        )  # fmt: skip
    with progress_bar("encoding") as progress:
        known = encode_dataset(model, train_set, progress=progress)
    # Two disjoint halves of the test split: one to compare with, one to show what real clips reach.
    order = torch.randperm(len(test_set), generator=torch.Generator().manual_seed(0)).tolist()
    size = min(options.count, len(test_set) // 2)
    real, floor = (_real_features(judge, test_set, order[i * size : (i + 1) * size]) for i in range(2))
    with evaluating(model), progress_bar("generating") as progress:
        found = compare_priors(
            model, judge, known, real, settings,
            seeds=range(options.seeds), count=options.count, progress=progress,
        )  # fmt: skip
    metrics = {"judge_accuracy": Metric(value=accuracy.joint, n=accuracy.n)}
    for kind, values in found.items():
        for seed, value in enumerate(values):
            metrics[f"frechet_{kind}_seed{seed}"] = Metric(
                value=value, n=options.count, higher_is_better=False
            )
        metrics[f"frechet_{kind}"] = Metric(
            value=sum(values) / len(values), n=options.count, higher_is_better=False
        )
    metrics["frechet_real"] = Metric(value=frechet_distance(floor, real), n=size, higher_is_better=False)
    return ResultRecord(
        name=options.out.stem,
        method=config.method,
        dataset=config.data.dataset,
        modality=config.modality,
        command=command,
        seed=0,
        device=device_name(model.device),
        wall_seconds=round(time.perf_counter() - started, 1),
        versions=installed_versions(),
        metrics=metrics,
    )


if __name__ == "__main__":
    raise SystemExit(main())
