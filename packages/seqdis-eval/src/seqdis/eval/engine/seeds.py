"""One protocol over several seeds: mean and standard deviation of every metric."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import fmean

from seqdis.core.errors import InputError
from seqdis.core.metric import Metric, Metrics

__all__ = ["mean_over_seeds", "over_seeds"]


def over_seeds(measure: Callable[[int], Metrics], seeds: Sequence[int]) -> Metrics:
    """``measure(seed)`` for each seed, as :func:`mean_over_seeds` puts them together.

    Raises:
        InputError: There is no seed, or one is there twice.
    """
    if not seeds or len(set(seeds)) < len(seeds):
        raise InputError(f"seeds: {list(seeds)}; allowed: one or more, each once")
    return mean_over_seeds([measure(seed) for seed in seeds])


def mean_over_seeds(results: Sequence[Metrics]) -> Metrics:
    """The metrics of several repetitions as one: mean of the values, and their deviation.

    ``std`` is ``sqrt(Σ (v_i − v̄)² / (k − 1))`` over the k repetitions: how much training and draws matter. A
    result that is itself of several counts as those: its deviation goes in.
    Both ends of ``ci95`` are means over the repetitions: how much the choice of test sequences matters.
    One repetition stays as it is, and so does a figure that is the same to the last digit in all of them (of a baseline
    without draws, of a judge that all share): no seed mattered to it. Only 0 and 1 are reached by chance again and
    again; they count as repeated. Names keep the order of the first repetition; one that another lacks is left out.

    Args:
        results: Metrics of the repetitions, at least one.
    """
    names = [name for name in results[0] if all(name in result for result in results)]
    return Metrics(_mean([result[name] for result in results]) for name in names)


def _mean(metrics: Sequence[Metric]) -> Metric:
    first = metrics[0]
    if len(metrics) == 1 or (first.value not in (0, 1) and all(metric == first for metric in metrics)):
        return first
    weights = [metric.seeds or 1 for metric in metrics]
    repetitions = sum(weights)
    mean = sum(k * m.value for k, m in zip(weights, metrics, strict=True)) / repetitions
    squares = sum(
        (k - 1) * (m.std or 0.0) ** 2 + k * (m.value - mean) ** 2
        for k, m in zip(weights, metrics, strict=True)
    )
    chances = [metric.chance for metric in metrics if metric.chance is not None]
    intervals = [metric.ci95 for metric in metrics if metric.ci95 is not None]
    whole = len(metrics)
    ends = (fmean(low for low, _ in intervals), fmean(high for _, high in intervals)) if intervals else None
    return first.model_copy(
        update={
            "value": mean,
            "chance": fmean(chances) if len(chances) == whole else None,
            "ci95": ends if len(intervals) == whole else None,
            "std": math.sqrt(squares / (repetitions - 1)),
            "seeds": repetitions,
        }
    )
