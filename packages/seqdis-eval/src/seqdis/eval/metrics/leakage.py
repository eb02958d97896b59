"""Leakage: what each factor tells of the labels that belong to the other one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from seqdis.core.data.sequence import Label
from seqdis.core.errors import InputError
from seqdis.core.results import Metric

__all__ = ["leakage"]

_OTHER: dict[str, Literal["static", "dynamic"]] = {"static": "dynamic", "dynamic": "static"}


def leakage(probes: Mapping[str, Metric], labels: Mapping[str, Label]) -> Metric:
    """``½·(acc(s → dynamic labels) + acc(d → static labels))``, each a mean over its labels (DiViD, Tab. 1).

    The paper has one label a side (action, identity). Lower is better and chance, the same mean of the
    probes' chances, is the best there is.

    Args:
        probes: ``probe_<label>_from_<side>`` of :func:`~seqdis.core.analysis.probe_factors`.
        labels: Which side each label belongs to.

    Raises:
        InputError: A side has no label, or a label no probe.
    """
    sides = []
    for own, other in _OTHER.items():
        names = [f"probe_{name}_from_{other}" for name, label in labels.items() if label.factor == own]
        absent = [name for name in names if name not in probes]
        if not names or absent:
            raise InputError(
                f"leakage: {absent[0]} was not measured" if absent else f"leakage: no label is {own}"
            )
        sides.append([probes[name] for name in names])
    found = [sum(probe.value for probe in side) / len(side) for side in sides]
    chance = [sum(probe.chance or 0.0 for probe in side) / len(side) for side in sides]
    return Metric(
        value=sum(found) / 2,
        chance=sum(chance) / 2,
        n=min(probe.n or 1 for side in sides for probe in side),
        higher_is_better=False,
    )
