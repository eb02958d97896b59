"""The one loss of DiffSDA."""

from __future__ import annotations

from torch import Tensor

from seqdis.core.diffusion.denoiser import EDMDenoiser

__all__ = ["edm_loss"]


def edm_loss(
    denoiser: EDMDenoiser, x: Tensor, z: Tensor, *, sigma: Tensor, noise: Tensor, weight: Tensor | None = None
) -> Tensor:
    """``mean_n weight · λ(σ)‖D(x + σ·noise; σ, z) − x‖² / numel(frame)`` (DiffSDA, Eq. 5).

    ``λ(σ) = (σ²+σ_d²)/(σ·σ_d)²``. The divisor is the number of all entries, weighted out or not, so
    that the loss of a batch is the mean of the losses of its equal parts: gradients averaged over
    processes or micro-batches are those of the whole.

    Args:
        denoiser: ``D``.
        x: Clean frames in model space, ``(N, *frame)``.
        z: Their conditions, ``(N, Z)``.
        sigma: Noise levels, ``(N,)``.
        noise: Standard normal, shaped like ``x``.
        weight: Broadcast over ``x``; 0 for what does not exist or was not observed.
    """
    squares = denoiser.residual(x, noise, sigma, z).float().square()
    return (squares if weight is None else squares * weight).mean()
