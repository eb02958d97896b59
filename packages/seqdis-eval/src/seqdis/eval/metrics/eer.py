"""Equal error rate of speaker verification, over all pairs of utterances."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.metric import Estimate

__all__ = ["eer_draws", "equal_error_rate", "speaker_eer"]

Scores = NDArray[np.float32]
Weights = NDArray[np.float64]
_ROWS = 512


def equal_error_rate(target: Scores, other: Scores) -> float:
    """The rate at which ``FPR(t) = P(other ≥ t)`` and ``FNR(t) = P(target < t)`` meet.

    Both are steps; between the two thresholds where ``FNR − FPR`` changes its sign, the rates are
    interpolated linearly. Equal scores count as one threshold.

    Args:
        target: Scores of pairs that belong together, ``(T,)``.
        other: Scores of pairs that do not, ``(O,)``.

    Returns:
        A rate in [0, 1]; 0 when every target scores above every other, 0.5 when they cannot be told apart.

    Raises:
        InputError: There is no pair of one kind, or a score is not finite.
    """
    for name, scores in (("target", target), ("other", other)):
        if scores.ndim != 1 or not len(scores):
            raise InputError(f"an EER needs {name} scores of shape (n,) with n ≥ 1; got {scores.shape}")
        if not np.isfinite(scores).all():
            raise InputError(f"an EER needs finite scores; the {name} ones hold NaN or Inf")
    target, rest = np.sort(target), _Rest(other)

    def rates(threshold: float) -> tuple[float, float]:
        misses = np.searchsorted(target, threshold, "left") / len(target)
        return rest.at_least(threshold) / len(other), float(misses)

    index = _first(target, rates, rest.narrow)
    low = target[index - 1] if index > 0 else -np.inf
    high = target[index] if index < len(target) else np.inf
    between = np.sort(rest.inside[(rest.inside > low) & (rest.inside < high)])
    return _crossing(target, between, rates)


class _Rest:
    """Counts of millions of scores, of which fewer and fewer can still lie on either side of a threshold.

    Counting is far cheaper than sorting, and only some thirty thresholds are asked for.
    """

    def __init__(self, scores: Scores) -> None:
        self.inside, self._above = scores, 0

    def at_least(self, threshold: float) -> float:
        """The number of scores that are ``threshold`` or more."""
        return float(self._above + np.count_nonzero(self.inside >= threshold))

    def narrow(self, threshold: float, *, rises: bool) -> None:
        """Only thresholds from this one on (``rises``), or up to this one, will be asked for."""
        high = self.inside >= threshold
        count = int(np.count_nonzero(high))
        if 2 * (count if rises else len(high) - count) > len(high):
            return  # copying so many costs more than counting them once more
        if not rises:
            self._above += count
        self.inside = self.inside[high if rises else ~high]


def _first(
    scores: Scores,
    rates: Callable[[float], tuple[float, float]],
    narrow: Callable[..., None] = lambda threshold, *, rises: None,
) -> int:
    """The first of the sorted scores at which FNR ≥ FPR; FNR − FPR grows with the threshold.

    Args:
        scores: Scores in ascending order.
        rates: FPR and FNR at a threshold.
        narrow: Told after each comparison that no lower (``rises``) or no higher threshold will come.
    """
    low, high = 0, len(scores)
    while low < high:
        middle = (low + high) // 2
        fpr, fnr = rates(scores[middle])
        low, high = (low, middle) if fnr >= fpr else (middle + 1, high)
        narrow(scores[middle], rises=fnr < fpr)
    return low


def _crossing(target: Scores, other: Scores, rates: Callable[[float], tuple[float, float]]) -> float:
    """The rate at which FPR and FNR are equal, of all thresholds in two sorted lists."""
    places = [(scores, _first(scores, rates)) for scores in (target, other)]
    above = [float(scores[i]) for scores, i in places if i < len(scores)]
    below = [float(scores[i - 1]) for scores, i in places if i > 0]
    fpr, fnr = rates(min(above)) if above else (0.0, 1.0)
    fpr_before, fnr_before = rates(max(below)) if below else (1.0, 0.0)
    before, after = fpr_before - fnr_before, fnr - fpr
    share = before / (before + after) if before + after > 0 else 0.0
    return float(fnr_before + share * (fnr - fnr_before))


def speaker_eer(
    embeddings: Tensor, speakers: Tensor, *, resamples: int = 0, generator: torch.Generator | None = None
) -> Estimate:
    """EER of the cosine similarities of all ``N(N−1)/2`` pairs of utterances (DiffSDA, Sec. 4.4).

    A static factor should tell speakers apart (low is good), a dynamic one should not (0.5 is chance).
    The interval is a percentile bootstrap over speakers, whose utterances are not independent.

    Args:
        embeddings: ``(N, F)``: a static factor's mean over the chunks of an utterance, or a dynamic factor's mean
            over chunks and steps.
        speakers: ``(N,)``.
        resamples: Number of draws of the bootstrap; 0 for none.
        generator: Random generator of the bootstrap.

    Raises:
        InputError: The sizes differ, an embedding is not finite or is 0, or there is only one speaker, or
            none with two utterances.
    """
    unit, codes = _directions(embeddings, speakers)
    count = len(codes)
    names = codes.numpy()
    scores, same = np.empty(count * (count - 1) // 2, np.float32), np.empty(count * (count - 1) // 2, bool)
    filled = 0
    for start in range(0, count, _ROWS):
        block = (unit[start : start + _ROWS] @ unit.T).numpy()
        for row, similarities in enumerate(block, start=start):
            # Each row pairs with all that come after it, so that each pair counts once.
            part = slice(filled, filled + count - row - 1)
            scores[part] = similarities[row + 1 :]
            np.equal(names[row + 1 :], names[row], out=same[part])
            filled = part.stop
    value = equal_error_rate(scores[same], scores[~same])
    interval = None
    if resamples:
        generator = generator or torch.Generator().manual_seed(0)
        bounds = np.quantile(eer_draws(embeddings, speakers, resamples, generator=generator), [0.025, 0.975])
        interval = (float(bounds[0]), float(bounds[1]))
    return Estimate(unit="share", value=value, chance=0.5, ci95=interval, n=count, direction="lower")


def _directions(embeddings: Tensor, speakers: Tensor) -> tuple[Tensor, Tensor]:
    """Unit vectors ``(N, F)``, and the speakers as ``0 … S−1``."""
    if embeddings.ndim != 2 or speakers.shape != embeddings.shape[:1]:
        raise InputError(
            "an EER needs embeddings (N, F) and speakers (N,); "
            f"got {tuple(embeddings.shape)} and {tuple(speakers.shape)}"
        )
    check_finite(embeddings, "embeddings")
    norms = embeddings.float().norm(dim=1, keepdim=True)
    if bool((norms == 0).any()):
        raise InputError(f"embedding {int((norms[:, 0] == 0).nonzero()[0])} is 0: it has no direction")
    return embeddings.float() / norms, speakers.unique(return_inverse=True)[1]


def eer_draws(
    embeddings: Tensor, speakers: Tensor, resamples: int, *, generator: torch.Generator
) -> NDArray[np.float64]:
    """The EER when speakers are drawn anew: a pair counts as often as both of its speakers.

    Draws of one speaker alone are left out; which ones they are depends on the generator, not on the embeddings.

    Args:
        embeddings: ``(N, F)``.
        speakers: ``(N,)``.
        resamples: Number of draws.
        generator: Random generator of the draws.

    Returns:
        A list of at most ``resamples`` rates.

    Raises:
        InputError: The embeddings are none that :func:`speaker_eer` takes, or each draw was of one speaker alone.
    """
    unit, codes = _directions(embeddings, speakers)
    total = int(codes.max()) + 1
    same, other = _sorted_pairs(unit.numpy(), codes.numpy().astype(np.int32))
    draws = []
    for _ in range(resamples):
        drawn = torch.randint(total, (total,), generator=generator).bincount(minlength=total).numpy()
        drawn = drawn.astype(np.float32)  # exact: a product of two counts is far below 2^24
        sums = [_cumulated(drawn[same.first])]
        if sums[0][-1] > 0:
            sums.append(_cumulated(drawn[other.first] * drawn[other.second]))
        if sums[-1][-1] == 0:
            continue  # one speaker alone was drawn, or none with two utterances
        draws.append(_weighted(same.scores, sums[0], other.scores, sums[1]))
    if not draws:
        raise InputError(f"a bootstrap over {total} speakers drew none with another")
    return np.asarray(draws)


@dataclass(frozen=True)
class _Pairs:
    """Pairs of one kind by ascending score, and the speakers of both."""

    scores: Scores
    first: NDArray[np.int32]
    second: NDArray[np.int32]


def _sorted_pairs(unit: Scores, codes: NDArray[np.int32]) -> tuple[_Pairs, _Pairs]:
    """Scores of pairs of one speaker, and of two; sorted once, whatever is drawn later."""
    kinds: tuple[list[_Pairs], list[_Pairs]] = ([], [])
    for start in range(0, len(unit), _ROWS):
        block = unit[start : start + _ROWS] @ unit.T
        # Each row pairs with all that come after it, so that each pair counts once.
        rows, columns = np.nonzero(np.arange(start, start + len(block))[:, None] < np.arange(len(unit)))
        scores, first, second = block[rows, columns], codes[rows + start], codes[columns]
        for kind, chosen in zip(kinds, (first == second, first != second), strict=True):
            kind.append(_Pairs(scores[chosen], first[chosen], second[chosen]))
    return _merged(kinds[0]), _merged(kinds[1])


def _merged(parts: list[_Pairs]) -> _Pairs:
    scores = np.concatenate([part.scores for part in parts])
    order = np.argsort(scores, kind="stable")
    first, second = (
        np.concatenate([getattr(part, side) for part in parts])[order] for side in ("first", "second")
    )
    return _Pairs(scores[order], first, second)


def _cumulated(weights: NDArray[np.float32]) -> Weights:
    """0, and the sums of the first 1, 2, … of them."""
    sums = np.zeros(len(weights) + 1)
    np.cumsum(weights, out=sums[1:])
    return sums


def _weighted(target: Scores, target_sum: Weights, other: Scores, other_sum: Weights) -> float:
    def rates(threshold: float) -> tuple[float, float]:
        misses = target_sum[np.searchsorted(target, threshold, "left")] / target_sum[-1]
        alarms = other_sum[np.searchsorted(other, threshold, "left")] / other_sum[-1]
        return 1 - float(alarms), float(misses)

    return _crossing(target, other, rates)
