"""Consistency: whether a judge says the same of a real clip and of its generated counterpart."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate

__all__ = ["consistency"]


def consistency(
    real: Mapping[str, Tensor], generated: Mapping[str, Tensor], *, generator: torch.Generator
) -> dict[str, Estimate]:
    """``E[1(ŷ(x) = ŷ(x̂))]`` of every label, and the mean over labels (VDSM, Tab. 1 and 2).

    The labels are the judge's on both sides: it may be wrong on both and agree. Chance is what one and the same
    clip, shown every time, would reach: the commonest of the answers on real clips.

    Args:
        real: The judge's classes of real clips, each ``(N,)``, or ``(N, V)`` where frames are judged alone.
        generated: Predictions of the clips that were made from them, the same names and shapes.
        generator: Random generator of the bootstrap over clips.

    Returns:
        ``consistency`` and ``<label>_consistency``.

    Raises:
        InputError: Names or shapes differ, or there is no clip.
    """
    shapes = {
        name: (tuple(real[name].shape), tuple(generated[name].shape))
        for name in real.keys() & generated.keys()
    }
    if not real or real.keys() != generated.keys() or any(a != b or not a[0] for a, b in shapes.values()):
        raise InputError(
            f"consistency needs the same labels of N ≥ 1 clips twice; got {sorted(real)} and {sorted(generated)} "
            f"of shapes {list(shapes.values())}"
        )
    shares = {name: _per_clip(value == generated[name]) for name, value in real.items()}
    chance = {name: float(value.flatten().bincount().max() / value.numel()) for name, value in real.items()}
    whole = torch.stack(list(shares.values())).mean(0)
    average = sum(chance.values()) / len(chance)
    return {"consistency": _metric(whole, average, generator)} | {
        f"{name}_consistency": _metric(share, chance[name], generator) for name, share in shares.items()
    }


def _per_clip(same: Tensor) -> Tensor:
    return same.double().flatten(1).mean(1) if same.ndim > 1 else same.double()


def _metric(share: Tensor, chance: float, generator: torch.Generator) -> Estimate:
    return Estimate(
        unit="share",
        value=float(share.mean()),
        chance=chance,
        ci95=bootstrap_mean(share, generator=generator),
        n=len(share),
    )
