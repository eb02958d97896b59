"""The EDM-preconditioned denoiser."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

__all__ = ["DenoiseFunction", "EDMDenoiser", "in_passes"]

DenoiseFunction = Callable[[Tensor, Tensor], Tensor]
"""``D(x (N, *frame), σ (N,)) -> x₀ (N, *frame)``, its condition bound."""


class EDMDenoiser(nn.Module):
    """``D(x; σ, z) = c_skip·x + c_out·F(c_in·x, c_noise, z)`` (DiffSDA, Eq. 4; Karras et al. 2022, Tab. 1).

    ``c_skip = σ_d²/(σ²+σ_d²)``, ``c_out = σ·σ_d/√(σ²+σ_d²)``, ``c_in = 1/√(σ²+σ_d²)``,
    ``c_noise = ln(σ)/4``.

    Args:
        network: ``F(x (N, *frame), c_noise (N,), z (N, Z))``.
        sigma_data: σ_d, the standard deviation of the normalised data.
    """

    def __init__(self, network: nn.Module, *, sigma_data: float = 0.5) -> None:
        super().__init__()
        self.network = network
        self.sigma_data = sigma_data

    def coefficients(self, sigma: Tensor, ndim: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """``c_skip, c_out, c_in`` shaped ``(N, 1, …)`` with ``ndim`` dimensions, and ``c_noise (N,)``."""
        s = sigma.view(-1, *(1,) * (ndim - 1))
        total = s.square() + self.sigma_data**2
        return self.sigma_data**2 / total, s * self.sigma_data * total.rsqrt(), total.rsqrt(), sigma.log() / 4

    def forward(self, x: Tensor, sigma: Tensor, z: Tensor) -> Tensor:
        """Denoise ``x (N, *frame)`` at ``sigma (N,)`` given ``z (N, Z)``, in the precision of ``x``.

        The network sees float32 (or what autocast makes of it); the sums around it do not.
        """
        c_skip, c_out, c_in, c_noise = self.coefficients(sigma, x.ndim)
        f = self.network((c_in * x).float(), c_noise.float(), z)
        return c_skip * x + c_out * f.to(x.dtype)

    def residual(self, x: Tensor, noise: Tensor, sigma: Tensor, z: Tensor) -> Tensor:
        """``F − (x − c_skip·x_t)/c_out`` at ``x_t = x + σ·noise``: what the loss squares (DiffSDA, Eq. 5).

        ``λ(σ)·‖D − x‖² = λ·c_out²·‖residual‖²`` and ``λ·c_out² = 1``: no weight is left.
        """
        c_skip, c_out, c_in, c_noise = self.coefficients(sigma, x.ndim)
        noisy = x + sigma.view(c_in.shape) * noise
        residual: Tensor = self.network(c_in * noisy, c_noise, z) - (x - c_skip * noisy) / c_out
        return residual

    def bind(self, z: Tensor, *, max_frames_per_pass: int) -> DenoiseFunction:
        """The function of noisy frames and σ alone that samplers take."""
        return lambda x, sigma: in_passes(self, (x, sigma, z), max_frames_per_pass)


def in_passes(function: Callable[..., Tensor], arguments: tuple[Tensor, ...], size: int) -> Tensor:
    """Call a frame-wise function on at most ``size`` frames at a time and join the results."""
    if len(arguments[0]) <= size:
        return function(*arguments)
    parts = zip(*(argument.split(size) for argument in arguments), strict=True)
    return torch.cat([function(*part) for part in parts])
