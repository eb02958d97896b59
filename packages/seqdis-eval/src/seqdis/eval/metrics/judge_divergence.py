"""KL between what a judge says of a generated clip and of the real one that it was made from."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap_mean
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate

__all__ = ["judge_divergence"]


def judge_divergence(generated: Tensor, real: Tensor, *, generator: torch.Generator) -> Estimate:
    """``KL_{g,r} = E[Σ_y p(y|x̂) ln(p(y|x̂) / p(y|x))]`` in nats (S3VAE, App. C); 0 where the two agree.

    Args:
        generated: ``p(y|x̂)`` of N generated clips, ``(N, C)``.
        real: ``p(y|x)`` of the real clips that they were made from, the same shape.
        generator: Random generator of the bootstrap over clips.

    Raises:
        InputError: The shapes differ, or a row is no distribution.
    """
    for name, p in (("generated", generated), ("real", real)):
        sums = p.double().sum(-1)
        if (
            p.ndim != 2
            or p.shape != real.shape
            or not len(p)
            or not torch.allclose(sums, torch.ones_like(sums), atol=1e-4)
        ):
            raise InputError(
                f"{name} predictions of shape {tuple(p.shape)}; allowed: distributions (N, C), as many as real ones"
            )
    # A softmax in float32 may round to 0 what is not impossible; the smallest normal number stands for it.
    p, q = (value.double().clamp(min=torch.finfo(torch.float32).tiny) for value in (generated, real))
    clips = (p * (p / q).log()).sum(1).clamp(min=0)
    return Estimate(
        unit="nats",
        value=float(clips.mean()),
        ci95=bootstrap_mean(clips, generator=generator),
        n=len(clips),
        direction="lower",
    )
