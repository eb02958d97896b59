"""Acc: what a judge sees of swapped clips, by label, by side and jointly."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from seqdis.core.analysis import wilson
from seqdis.core.data.labels import Label
from seqdis.core.factors import SIDES
from seqdis.core.metric import Estimate

__all__ = ["agreement", "majority_chance", "swap_metrics"]


def majority_chance(labels: Iterable[Tensor]) -> float:
    """The accuracy of the best constant answer: the product of the labels' majority shares.

    ``Π_l max_c p_l(c)``, with the labels taken as independent; for one label it is exact.

    Args:
        labels: The right answers, each ``(n,)``.
    """
    return math.prod(value.bincount().max().item() / len(value) for value in labels)


def agreement(predicted: Mapping[str, Tensor], truth: Mapping[str, Tensor]) -> Estimate:
    """Share of clips in which all labels of ``truth`` are right, with Wilson's interval.

    Args:
        predicted: Classes, each ``(n,)``; further labels are ignored.
        truth: The right ones, each ``(n,)``.
    """
    hits = torch.stack([predicted[name] == value for name, value in truth.items()]).all(0)
    right, n = int(hits.sum()), len(hits)
    return Estimate(
        unit="share", value=right / n, chance=majority_chance(truth.values()), ci95=wilson(right, n), n=n
    )


def swap_metrics(
    labels: Mapping[str, Label], predicted: Mapping[str, Tensor], truth: Mapping[str, Tensor]
) -> dict[str, Estimate]:
    """Accuracy of swaps by side, jointly, and by label (DiViD, Tab. 1; BCD, Tab. A4), each in [0, 1].

    Args:
        labels: Labels with the side that each belongs to.
        predicted: The judge's classes of the swapped clips, each ``(n,)``.
        truth: Static labels of the clips that lent their static factor and dynamic labels of those
            that lent their dynamics, each ``(n,)``.
    """
    sides = {side: {n: truth[n] for n, label in labels.items() if label.factor == side} for side in SIDES}
    metrics = {f"swap_{side}_accuracy": agreement(predicted, part) for side, part in sides.items() if part}
    if all(sides.values()):
        metrics["swap_joint_accuracy"] = agreement(predicted, truth)
    return metrics | {f"swap_{name}_accuracy": agreement(predicted, {name: truth[name]}) for name in labels}
