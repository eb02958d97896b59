"""Leakage: what each factor tells of the labels that belong to the other one."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from seqdis.core.analysis import ProbeOutcome, bootstrap_mean
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.core.factors import SIDES, Side
from seqdis.core.metric import Estimate

__all__ = ["leakage", "leakage_of"]

_OTHER: dict[Side, Side] = {"static": "dynamic", "dynamic": "static"}


def leakage(
    probes: Mapping[str, ProbeOutcome],
    labels: Mapping[str, Label],
    *,
    above_chance: bool = False,
    generator: torch.Generator | None = None,
) -> Estimate:
    """``½·(acc(s → dynamic labels) + acc(d → static labels))``, each a mean over its labels (DiViD, Tab. 1).

    The paper has one label a side (action, identity). Lower is better and chance, the same mean of the
    probes' chances, is the best there is. The interval is a bootstrap over the test sequences.

    Args:
        probes: ``probe_<label>_from_<side>`` of :func:`~seqdis.core.analysis.probe_outcomes`.
        labels: Labels with the side that each belongs to.
        above_chance: Whether the mean is of ``max(0, (acc − chance) / (1 − chance))`` instead of ``acc``: 0 at chance, 1 where all is
            known.
        generator: Random generator of the bootstrap.

    Raises:
        InputError: A side has no label, or a label no probe, or probes were judged on unequal splits.
    """
    sides = [_of_the_other_side(probes, labels, side, side) for side in SIDES]
    return _estimate(sides, above_chance, generator)


def leakage_of(
    part: str,
    side: Side,
    probes: Mapping[str, ProbeOutcome],
    labels: Mapping[str, Label],
    *,
    generator: torch.Generator | None = None,
) -> Estimate:
    """Mean accuracy of the probes that read the other side's labels from one factor.

    Args:
        part: The factor: ``"static"``, ``"dynamic"``, or the name of a further one.
        side: The side that it belongs to.
        probes: ``probe_<label>_from_<part>`` of :func:`~seqdis.core.analysis.probe_outcomes`.
        labels: Labels with the side that each belongs to.
        generator: Random generator of the bootstrap.

    Raises:
        InputError: The other side has no label, or a label no probe, or probes were judged on unequal splits.
    """
    return _estimate([_of_the_other_side(probes, labels, part, side)], False, generator)


def _of_the_other_side(
    probes: Mapping[str, ProbeOutcome], labels: Mapping[str, Label], part: str, side: Side
) -> list[ProbeOutcome]:
    other = _OTHER[side]
    names = [f"probe_{name}_from_{part}" for name, label in labels.items() if label.factor == other]
    absent = [name for name in names if name not in probes]
    if not names or absent:
        raise InputError(
            f"leakage: {absent[0]} was not measured" if absent else f"leakage: no label is {other}"
        )
    return [probes[name] for name in names]


def _estimate(
    sides: list[list[ProbeOutcome]], above_chance: bool, generator: torch.Generator | None
) -> Estimate:
    """The mean over sides of the mean over each side's probes."""
    sizes = {len(probe.right) for side in sides for probe in side}
    if len(sizes) > 1:
        raise InputError(f"leakage: probes were judged on {sorted(sizes)} sequences; they must agree")
    each = torch.stack([_mean(side, above_chance) for side in sides]).mean(0)
    chances = [0.0 if above_chance else sum(probe.chance for probe in side) / len(side) for side in sides]
    return Estimate(
        unit="share",
        value=float(each.mean()),
        chance=sum(chances) / len(sides),
        ci95=bootstrap_mean(each, generator=generator or torch.Generator().manual_seed(0)),
        n=len(each),
        direction="lower",
    )


def _mean(side: list[ProbeOutcome], above_chance: bool) -> Tensor:
    """The part that each sequence adds to the mean over a side's probes, ``(M,)``."""
    shares = []
    for probe in side:
        right = probe.right.double()
        if above_chance:
            # A probe below chance counts as 0 as a whole, not by sequences: they have no chance of their own.
            right = (right - probe.chance) / max(1 - probe.chance, 1e-12)
            right = right if right.mean() > 0 else torch.zeros_like(right)
        shares.append(right)
    return torch.stack(shares).mean(0)
