"""Traversal: does moving one factor leave the other alone?"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from seqdis.core.analysis import (
    PrincipalComponents,
    bootstrap_mean,
    evaluating,
    principal_components,
    row_sources,
    traverse,
)
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import SIDES, Side
from seqdis.core.priors.prior import Prior
from seqdis.core.progress import Progress
from seqdis.core.results import Metric
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.progress import stage
from seqdis.eval.judge.interface import Judge

__all__ = ["DRAWS", "traversal_amounts", "traversal_directions", "traversal_protocol"]

DRAWS = 2**15
"""Samples of the prior that the components are of (DiffSDA, Sec. 4.3)."""


def traversal_directions(
    prior: Prior, *, mode: Mode = "corrected", seed: int = 0, components: int = 4, draws: int = DRAWS
) -> dict[Side, PrincipalComponents]:
    """The first principal components of each factor of a prior's samples.

    ``"corrected"``: of standardised samples, the units that Eq. 6 moves in. ``"published"``: of the samples as they
    are, as the paper's text reads; where entries differ in scale, Eq. 6 then leaves the direction of largest variance.

    Args:
        prior: Fitted to a model's factors, or its own.
        mode: See above.
        seed: Of the samples.
        components: So many of each factor at most.
        draws: Number of samples.
    """
    drawn = prior.sample(draws, generator=torch.Generator().manual_seed(seed))
    return {
        side: principal_components(drawn, side, keep=components, standardised=mode == "corrected")
        for side in SIDES
    }


def traversal_protocol(
    model: Disentangler,
    directions: Mapping[Side, PrincipalComponents],
    judge: Judge,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    clips: int = 64,
    span: float = 1.0,
    points: int = 5,
    batch_size: int = 16,
    progress: Progress | None = None,
) -> dict[str, Metric]:
    """Clips moved along the first principal components of each factor, before a judge (DiffSDA, Sec. 4.3, Eq. 6).

    The judge's labels at ``α = 0``, the reconstruction's, are what the others are compared with: what is lost in
    decoding is not laid at the traversal's door. The paper shows pictures and prints no figures.

    Args:
        model: Any method.
        directions: Of :func:`traversal_directions`; its mode is that of the protocol.
        judge: Trained on real clips.
        test_set: Clips that nobody has learnt from.
        seed: Of the choice of clips and of the decoder's draws.
        clips: So many of the test clips at most.
        span: ``α`` goes from ``−span`` to ``span``.
        points: Places along the way, an odd number: the middle one is ``α = 0``.
        batch_size: Clips a pass; it does not change the result.
        progress: Called as the work advances.

    Returns:
        Of each factor that moves: ``<factor>_keeps_<other>``, the share of moved clips in which all labels of the
        other factor stay (chance: that they are those of another clip), and ``<factor>_changes``, the share in which
        a label of its own changes; ``keeps``, ``changes`` and ``explained`` (share of the samples' variance)
        ``@<factor> <component>``. A side without labels has no figures.

    Raises:
        InputError: The data carry no labels, or ``points`` is even or below 3.
    """
    if not test_set.labels:
        raise InputError("the data carry no labels: there is nothing that a judge could see change")
    if points < 3 or points % 2 == 0:
        raise InputError(f"points {points}; allowed: odd numbers from 3, for the middle one is α = 0")
    order = torch.randperm(len(test_set), generator=torch.Generator().manual_seed(seed))
    chosen = sorted(order[:clips].tolist())
    amounts = traversal_amounts(span, points)
    metrics: dict[str, Metric] = {}
    cases: dict[str, Metric] = {}
    total, done = sum(map(len, directions.values())), 0
    for side, found in directions.items():
        kept, changed = [], []
        for component in range(len(found)):
            report, done = stage(progress, done / total, (done + 1) / total), done + 1
            seen: list[Mapping[str, Tensor]] = []
            with evaluating(model):
                for start in range(0, len(chosen), batch_size):
                    rows = chosen[start : start + batch_size]
                    batch = test_set.fetch(rows).to(model.device)
                    moved = traverse(
                        model, batch, found, component=component, amounts=amounts,
                        generator=row_sources(seed, rows),
                    )  # fmt: skip
                    mask = None if batch.mask is None else batch.mask.repeat_interleave(points, dim=0)
                    answers = judge.predict(moved.frames.flatten(0, 1), mask)
                    seen.append({n: value.unflatten(0, (len(rows), points)) for n, value in answers.items()})
                    if report is not None:
                        report(start + len(rows), len(chosen))
            judged = {name: torch.cat([one[name] for one in seen]) for name in test_set.labels}
            same = {s: _unchanged(judged, test_set.labels, s, points // 2) for s in SIDES}
            other: Side = "dynamic" if side == "static" else "static"
            case = f"{side} {component}"
            if (keeps := same[other]) is not None:
                kept.append(keeps)
                cases[f"keeps@{case}"] = _share(keeps, seed)
            if (stays := same[side]) is not None:
                changed.append(1 - stays)
                cases[f"changes@{case}"] = _share(1 - stays, seed)
            cases[f"explained@{case}"] = Metric(value=float(found.explained[component]))
        if kept:
            chance = _shared_by_chance(judged, test_set.labels, other, points // 2)
            metrics[f"{side}_keeps_{other}"] = _share(torch.stack(kept).mean(0), seed, chance)
        if changed:
            metrics[f"{side}_changes"] = _share(torch.stack(changed).mean(0), seed)
    return metrics | cases


def traversal_amounts(span: float, points: int) -> Tensor:
    """``α`` from ``−span`` to ``span``, ``(points,)``; the middle one is 0 exactly."""
    return span * torch.linspace(-1, 1, points, dtype=torch.float64).round(decimals=9)


def _unchanged(
    judged: Mapping[str, Tensor], labels: Mapping[str, Label], side: Side, middle: int
) -> Tensor | None:
    """Share of each clip's moved places in which all labels of a side are those of ``α = 0``, ``(N,)``."""
    own = [judged[name] for name, label in labels.items() if label.factor == side]
    if not own:
        return None
    same = torch.stack([value == value[:, middle : middle + 1] for value in own]).all(0)
    moved = torch.arange(same.shape[1]) != middle
    return same[:, moved].double().mean(1)


def _shared_by_chance(
    judged: Mapping[str, Tensor], labels: Mapping[str, Label], side: Side, middle: int
) -> float | None:
    """Share of pairs of different clips whose labels of a side all agree at ``α = 0``; None of a single clip."""
    own = torch.stack([judged[n][:, middle] for n, label in labels.items() if label.factor == side], dim=1)
    counts = own.unique(dim=0, return_counts=True)[1].double()
    n = len(own)
    return float((counts * (counts - 1)).sum() / (n * (n - 1))) if n > 1 else None


def _share(clips: Tensor, seed: int, chance: float | None = None) -> Metric:
    interval = bootstrap_mean(clips, generator=torch.Generator().manual_seed(seed))
    return Metric(value=float(clips.mean()), chance=chance, ci95=interval, n=len(clips))
