"""Quality against the number of network evaluations (NFE), for every sampler on one trained model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean, evaluating, fixed_pairs, row_sources, wilson
from seqdis.core.capabilities import DecodesByDiffusion, invert
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.core.registry import get_sampler
from seqdis.core.results import Metric
from seqdis.core.sequences import Sequences
from seqdis.eval.engine.reconstruction_error import clip_errors, mean_frame
from seqdis.eval.judge.interface import Judge
from seqdis.eval.metrics.swap_accuracy import agreement, majority_chance

__all__ = ["NFE", "REFERENCE", "SAMPLERS", "Case", "cases", "few_steps", "within_two_percent"]

NFE = (4, 6, 8, 12, 16, 24, 32, 63)
SAMPLERS = ("edm", "ddim", "ddpm", "dpmpp", "unipc")
REFERENCE = "edm 63"
"""Heun's method at the paper's NFE, what the others are held against."""


@dataclass(frozen=True)
class Case:
    """One sampler at one cost.

    Attributes:
        name: ``"dpmpp 16"``: the sampler and its NFE.
        config: Its settings.
        inverts: Whether it has a noise that leads to a given sequence.
    """

    name: str
    config: SamplerConfig
    inverts: bool


def cases(base: SamplerConfig, budgets: Sequence[int] = NFE) -> list[Case]:
    """Every sampler at every budget on the levels of ``base``; Heun's takes the largest ``2N − 1`` below."""
    levels = base.model_dump(include={"levels", "spacing", "sigma_min", "sigma_max", "rho"})
    chosen = []
    for budget in budgets:
        for name in SAMPLERS:
            steps = (budget + 1) // 2 if name == "edm" else budget
            nfe = 2 * steps - 1 if name == "edm" else steps
            sampler = get_sampler(name)
            config = sampler.config_class(**levels, steps=steps)
            chosen.append(Case(f"{name} {nfe}", config, inverts=sampler.invertible))
    return chosen


def few_steps(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    judge: Judge | None,
    *,
    pairs: int = 32,
    budgets: Sequence[int] = NFE,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """Reconstructions and swaps of the same clips by every sampler at every budget.

    Three things are decoded at each budget, and an inversion takes as many levels:

    - ``reconstruction_mse``: from the inverted noise (stochastic encoding), each clip by itself;
    - ``decoding_mse``: from fresh noise, which is what a drawn factor gets;
    - ``swap_label_accuracy``, ``swap_joint_accuracy``: static factor of one clip, dynamics and inverted noise
      of another; the share of labels, and of clips with all labels, that the judge sees right.

    A sampler without an inverse swaps from fresh noise and has no ``reconstruction_mse``.

    Args:
        model: Trained; its own sampler is put back afterwards.
        train_set: For the baseline, its mean frame.
        test_set: Where clips are taken from.
        judge: Says what a swap shows; without it swaps are left out.
        pairs: How many clips and swaps.
        budgets: NFE, each of all frames.
        seed: Of clips and noise.
        progress: Called as the work advances.

    Returns:
        ``<metric>@<sampler> <NFE>``, the sampler's name with what it really takes.

    Raises:
        InputError: The model decodes without a sampler.
    """
    if not isinstance(model, DecodesByDiffusion):
        raise InputError(f"{type(model).__name__} decodes without a sampler: there are no steps to save")
    chosen = fixed_pairs(len(test_set), seed=seed, count=pairs)
    static, dynamic = (test_set.fetch([pair[i] for pair in chosen]) for i in range(2))
    baseline = float(clip_errors(dynamic, mean_frame(train_set)).nanmean())
    truth = {
        name: (static if label.factor == "static" else dynamic).labels[name]
        for name, label in test_set.labels.items()
    }
    own = model.sampling.config
    todo, metrics = cases(own, budgets), {}
    there = dynamic.to(model.device)
    with evaluating(model):
        donor = model.encode(there)
        other = static.to(model.device)
        mixed = model.encode(other).mix(donor)
        try:
            for index, case in enumerate(todo):
                model.sampling.use(case.config)
                rows = row_sources(seed, range(len(chosen)))
                noise = invert(model, there, donor) if case.inverts else None
                if noise is not None:
                    again = model.decode(donor, noise=noise, generator=rows)
                    metrics[f"reconstruction_mse@{case.name}"] = _error(dynamic, again, baseline, seed)
                fresh = model.decode(donor, generator=rows)
                metrics[f"decoding_mse@{case.name}"] = _error(dynamic, fresh, baseline, seed)
                if judge is not None:
                    swapped = model.decode(mixed, noise=noise, generator=rows)
                    seen = judge.predict(swapped, there.mask)
                    metrics[f"swap_label_accuracy@{case.name}"] = _mean_accuracy(seen, truth)
                    metrics[f"swap_joint_accuracy@{case.name}"] = agreement(seen, truth)
                if progress is not None:
                    progress(index + 1, len(todo))
        finally:
            model.sampling.use(own)
    return metrics


def _error(batch: Sequences, guess: Tensor, baseline: float, seed: int) -> Metric:
    errors = clip_errors(batch, guess)
    errors = errors[~errors.isnan()]
    return Metric(
        value=float(errors.mean()),
        chance=baseline,
        ci95=bootstrap_mean(errors, generator=torch.Generator().manual_seed(seed)),
        n=len(errors),
        higher_is_better=False,
    )


def _mean_accuracy(seen: Mapping[str, Tensor], truth: Mapping[str, Tensor]) -> Metric:
    hits = torch.cat([seen[name] == value for name, value in truth.items()])
    right, n = int(hits.sum()), len(hits)
    chance = sum(majority_chance([value]) for value in truth.values()) / len(truth)
    return Metric(value=right / n, chance=chance, ci95=wilson(right, n), n=n)


def within_two_percent(metrics: Mapping[str, Metric], metric: str) -> list[str]:
    """The cases that lose at most 2% of the reference's quality, the cheapest first.

    Quality is the value itself, or for an error the explained share ``1 − error/chance``.

    Raises:
        InputError: There is no such metric of the reference.
    """
    found = {
        name.partition("@")[2]: value for name, value in metrics.items() if name.startswith(f"{metric}@")
    }
    if REFERENCE not in found:
        raise InputError(f"{metric}@{REFERENCE} was not measured; there are {', '.join(metrics) or 'none'}")

    def quality(value: Metric) -> float:
        if value.higher_is_better or not value.chance:
            return value.value
        return 1 - value.value / value.chance

    least = 0.98 * quality(found[REFERENCE])
    good = [
        (int(name.split()[1]), -quality(value), name)
        for name, value in found.items()
        if quality(value) >= least
    ]
    return [name for _, _, name in sorted(good)]
