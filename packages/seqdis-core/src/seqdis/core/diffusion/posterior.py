"""The divergence of a denoiser's reverse step from the true one at a noise level."""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["posterior_kl"]


def posterior_kl(x: Tensor, denoised: Tensor, *, sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """``KL(q(x_r | x_σ, x₀) ‖ q(x_r | x_σ, D)) = ½ (1/r² − 1/σ²) ‖x₀ − D(x_σ; σ)‖²``, in nats.

    Both are the Gaussians of one reverse step from σ to r, with the same variance (Ho et al. 2020, Eq. 5-8; as
    differences of 1/σ², Kingma et al. 2021, Eq. 13). Their sum over a chain bounds the information on ``x₀`` that
    the condition must supply: the time-varying bottleneck of Yang et al. (2024) is this, as a function of σ.

    Args:
        x: Clean frames, ``(N, *frame)``.
        denoised: ``D``, shaped like ``x``.
        sigma: Noise levels σ, ``(N,)``.
        sigma_next: The next lower level r of each, above 0, ``(N,)``.

    Returns:
        The divergence of each frame, ``(N,)`` in float64.
    """
    squares = (x.double() - denoised.double()).square().flatten(1).sum(1)
    gain = sigma_next.double().square().reciprocal() - sigma.double().square().reciprocal()
    result: Tensor = 0.5 * torch.clamp(gain, min=0) * squares
    return result
