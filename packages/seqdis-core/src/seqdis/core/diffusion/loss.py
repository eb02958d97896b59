"""The one loss of a denoiser."""

from __future__ import annotations

from torch import Tensor

from seqdis.core.diffusion.denoiser import Denoiser

__all__ = ["denoising_loss"]


def denoising_loss(
    denoiser: Denoiser, x: Tensor, z: Tensor, *, sigma: Tensor, noise: Tensor, weight: Tensor | None = None
) -> Tensor:
    """``mean_n weight · ‖F(c_in·x_σ; c_noise, z) − (x − c_skip·x_σ)/c_out‖² / numel(frame)``, ``x_σ = x + σ·noise``.

    With EDM's preconditioning this is ``λ(σ)‖D(x_σ; σ, z) − x‖²`` with ``λ = (σ²+σ_d²)/(σ·σ_d)²`` (DiffSDA,
    Eq. 5); with that of ε it is ``‖ε_θ − ε‖²`` (Ho et al. 2020, Eq. 14). The divisor is the number of all
    entries, weighted out or not, so that the loss of a batch is the mean of the losses of its equal
    parts: gradients averaged over processes or micro-batches are those of the whole.

    Args:
        denoiser: Denoiser ``D`` whose network ``F`` is trained.
        x: Clean frames in model space, ``(N, *frame)``.
        z: Conditions of the frames, ``(N, Z)``.
        sigma: Noise levels, ``(N,)``.
        noise: Standard normal, shaped like ``x``.
        weight: Weight of each entry, broadcasting over ``x``: 0 where it does not exist or was not observed.
    """
    squares = denoiser.residual(x, noise, sigma, z).float().square()
    return (squares if weight is None else squares * weight).mean()
