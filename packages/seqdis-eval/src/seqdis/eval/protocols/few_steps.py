"""Quality against the number of network evaluations (NFE), for every sampler on one trained model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean, evaluating, fixed_pairs, row_sources, wilson
from seqdis.core.base_config import DEEPEST, LONGEST
from seqdis.core.capabilities import invert, sampling_of
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.progress import Progress
from seqdis.core.registry import get_sampler
from seqdis.core.sequences import Sequences
from seqdis.core.starting_noise import NoiseChoice, choose_noise
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.reconstruction_error import clip_errors, mean_frame
from seqdis.eval.judge.interface import Judge
from seqdis.eval.metrics.swap_accuracy import agreement, majority_chance
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import JudgeOption
from seqdis.eval.protocols.protocol import Protocol

__all__ = ["NFE", "REFERENCE", "SAMPLERS", "Case", "FewSteps", "cases", "few_steps", "within_two_percent"]

NFE = (4, 6, 8, 12, 16, 24, 32, 63)
SAMPLERS = ("edm", "ddim", "ddpm", "dpmpp", "unipc")
REFERENCE = "edm 63"
"""Heun's method at the paper's NFE, what the others are held against."""


@dataclass(frozen=True)
class Case:
    """One sampler at one cost.

    Attributes:
        name: ``"dpmpp 16"``: the sampler and its NFE.
        evaluations: Number of evaluations of the network.
        config: Settings of the network.
        inverts: Whether it has a noise that leads to a given sequence.
    """

    name: str
    evaluations: int
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
            chosen.append(Case(f"{name} {nfe}", nfe, config, inverts=sampler.invertible))
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
) -> Metrics:
    """Reconstructions and swaps of the same clips by every sampler at every budget.

    Three things are decoded at each budget, and an inversion takes as many levels:

    - ``reconstruction_mse``: from the inverted noise (stochastic encoding), each clip by itself;
    - ``decoding_mse``: from fresh noise, which is what a drawn factor gets;
    - ``swap_label_accuracy``, ``swap_joint_accuracy``: static factor of one clip, dynamics and inverted noise
      of another; the share of labels, and of clips with all labels, that the judge sees right.

    A sampler without an inverse swaps from fresh noise and has no ``reconstruction_mse``.

    Args:
        model: Trained; its own sampler is put back afterwards.
        train_set: Training split, whose mean frame is the baseline.
        test_set: Test split that clips are taken from.
        judge: Says what a swap shows; without it swaps are left out.
        pairs: Number of clips and swaps.
        budgets: NFE, each of all frames.
        seed: Seed of clips and noise.
        progress: Called as the work advances.

    Returns:
        ``<metric>@<sampler> <NFE>``, the sampler's name with what it really takes.

    Raises:
        InputError: The model decodes without a sampler.
    """
    sampling = sampling_of(model)
    if sampling is None:
        raise InputError(f"{type(model).__name__} decodes without a sampler: there are no steps to save")
    chosen = fixed_pairs(len(test_set), seed=seed, count=pairs)
    static, dynamic = (test_set.fetch([pair[i] for pair in chosen]) for i in range(2))
    baseline = float(clip_errors(dynamic, mean_frame(train_set)).nanmean())
    truth = {
        name: (static if label.factor == "static" else dynamic).labels[name]
        for name, label in test_set.labels.items()
    }
    own = sampling.config
    all_cases, metrics = cases(own, budgets), Metrics()
    there = dynamic.to(model.device)
    with evaluating(model):
        donor = model.encode(there)
        other = static.to(model.device)
        mixed = model.encode(other).mix(donor)
        try:
            for index, case in enumerate(all_cases):
                sampling.use(case.config)
                rows = row_sources(seed, range(len(chosen)))
                errors, accuracies = {}, {}
                inverted = invert(model, there, donor) if case.inverts else None
                if inverted is not None:
                    again = model.decode(donor, noise=inverted, generator=rows)
                    errors["reconstruction_mse"] = _error(dynamic, again, baseline, seed)
                fresh = model.decode(donor, generator=rows)
                errors["decoding_mse"] = _error(dynamic, fresh, baseline, seed)
                if judge is not None:
                    start = choose_noise("dynamic", static=None, dynamic=inverted)
                    swapped = model.decode(mixed, noise=start, generator=rows)
                    seen = judge.predict(swapped, there.mask)
                    accuracies["swap_label_accuracy"] = _mean_accuracy(seen, truth)
                    accuracies["swap_joint_accuracy"] = agreement(seen, truth)
                metrics |= Metrics.of(errors, role="reconstruction", case=case.name)
                metrics |= Metrics.of(accuracies, role="swap", case=case.name)
                if progress is not None:
                    progress(index + 1, len(all_cases))
        finally:
            sampling.use(own)
    return metrics


def _error(batch: Sequences, guess: Tensor, baseline: float, seed: int) -> Estimate:
    errors = clip_errors(batch, guess)
    errors = errors[~errors.isnan()]
    return Estimate(
        unit="natural²",
        value=float(errors.mean()),
        chance=baseline,
        ci95=bootstrap_mean(errors, generator=torch.Generator().manual_seed(seed)),
        n=len(errors),
        direction="lower",
    )


def _mean_accuracy(seen: Mapping[str, Tensor], truth: Mapping[str, Tensor]) -> Estimate:
    hits = torch.cat([seen[name] == value for name, value in truth.items()])
    right, n = int(hits.sum()), len(hits)
    chance = sum(majority_chance([value]) for value in truth.values()) / len(truth)
    return Estimate(value=right / n, unit="share", chance=chance, ci95=wilson(right, n), n=n)


def within_two_percent(metrics: Metrics, metric: str, evaluations: Mapping[str, int]) -> list[str]:
    """The cases that lose at most 2% of the reference's quality, the cheapest first.

    Quality is the value itself, or for an error the explained share ``1 − error/chance``.

    Args:
        metrics: Metrics of :func:`few_steps`.
        metric: Name of the metric.
        evaluations: Number of evaluations of the network, by case; see :class:`Case`.

    Raises:
        InputError: There is no such metric of the reference.
    """
    values = {case: some[metric] for case, some in metrics.by_case().items() if metric in some}
    if REFERENCE not in values:
        raise InputError(f"{metric}@{REFERENCE} was not measured; there are {', '.join(metrics) or 'none'}")

    def quality(value: Estimate) -> float:
        if value.higher_is_better or not value.chance:
            return value.value
        return 1 - value.value / value.chance

    least = 0.98 * quality(values[REFERENCE])
    good = [
        (evaluations[name], -quality(value), name)
        for name, value in values.items()
        if quality(value) >= least
    ]
    return [name for _, _, name in sorted(good)]


class FewSteps(Protocol):
    """Reconstruct and swap by every sampler at budgets of 4 to 63 evaluations.

    Says which come within 2% of Heun's method at 63. The judge is trained once and kept in RUN.
    """

    name = "few-steps"
    requires = "a method that decodes with a sampler"
    several_runs = "refused"
    noise = "dynamic"
    headline = ("reconstruction_mse", "swap_joint_accuracy")

    class Options(JudgeOption):
        """The budgets of evaluations, and the clips that are measured."""

        pairs: int = Field(32, ge=1, le=LONGEST, description="clips that are reconstructed and swapped")
        nfe: tuple[Annotated[int, Field(le=LONGEST)], ...] = Field(
            (),
            max_length=DEEPEST,
            description="a budget of at least 3 evaluations; may be repeated; 4 to 63 when omitted",
        )
        judge_swaps: bool = Field(True, description="let a judge see swaps as well")

    def swap_noise(self, options: Any) -> NoiseChoice | None:
        """That of the swaps that a judge sees; None where it sees none."""
        return self.noise if options.judge_swaps else None

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its method decodes with a sampler."""
        return sampling_of(run.model) is not None

    def measure(self, context: Context) -> Metrics:
        """The figures of every sampler at every budget."""
        options, run = context.options, context.first
        if options.nfe and min(options.nfe) < 3:
            raise InputError(f"--nfe {min(options.nfe)}; allowed: 3 or more")
        metrics, judge = Metrics(), None
        if run.test_set.labels and options.judge_swaps:
            trained = context.judge_of(run)
            metrics, judge = trained.metrics, trained.judge
        with context.bar("sampling") as progress:
            return metrics | few_steps(
                run.model, run.train_set, run.test_set, judge, pairs=options.pairs, budgets=options.nfe or NFE,
                seed=context.seed, progress=progress,
            )  # fmt: skip

    def remarks(self, context: Context, metrics: Metrics) -> list[str]:
        """The samplers that come within 2% of the reference, by each quantity."""
        sampling = sampling_of(context.first.model)
        if sampling is None:
            return []
        some = cases(sampling.config, context.options.nfe or NFE)
        evaluations = {case.name: case.evaluations for case in some}
        return [
            f"{name} within 2% of {REFERENCE}: {', '.join(within_two_percent(metrics, name, evaluations))}"
            for name in metrics.by_case().get(REFERENCE, {})
        ]
