"""The denoiser: a network and its preconditioning."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqdis.core.diffusion.preconditioning import Coefficients, EDMPreconditioning, Preconditioning
from seqdis.core.nn.passes import in_passes

__all__ = ["DenoiseFunction", "Denoiser"]

DenoiseFunction = Callable[[Tensor, float], Tensor]
"""``D(x (N, *frame), σ) -> x₀ (N, *frame)``: one level for all frames, the condition bound."""


class Denoiser(nn.Module):
    """``D(x; σ, z) = c_skip·x + c_out·F(c_in·x, c_noise, z)`` (DiffSDA, Eq. 4; Karras et al. 2022, Eq. 7).

    Args:
        network: Network ``F(c_in·x (N, *frame), c_noise (N,), z (N, Z))``.
        preconditioning: Scaling of the network's input and output; EDM's with ``σ_data = 0.5`` when omitted.
    """

    def __init__(self, network: nn.Module, *, preconditioning: Preconditioning | None = None) -> None:
        super().__init__()
        self.network = network
        self.preconditioning = preconditioning or EDMPreconditioning()

    def _coefficients(self, sigma: Tensor, ndim: int) -> Coefficients:
        c = self.preconditioning(sigma)
        shape = (-1, *(1,) * (ndim - 1))
        return Coefficients(c.c_skip.view(shape), c.c_out.view(shape), c.c_in.view(shape), c.c_noise)

    def forward(self, x: Tensor, sigma: Tensor, z: Tensor) -> Tensor:
        """Denoise ``x (N, *frame)`` at ``sigma (N,)`` given ``z (N, Z)``, in the precision of ``x``.

        The network sees float32 (or what autocast makes of it); the sums around it do not.
        """
        c = self._coefficients(sigma, x.ndim)
        f = self.network((c.c_in * x).float(), c.c_noise.float(), z)
        return c.c_skip * x + c.c_out * f.to(x.dtype)

    def residual(self, x: Tensor, noise: Tensor, sigma: Tensor, z: Tensor) -> Tensor:
        """``F − (x − c_skip·x_σ)/c_out`` at ``x_σ = x + σ·noise``: what the loss squares.

        With EDM's preconditioning ``λ(σ)·‖D − x‖² = λ·c_out²·‖residual‖²`` and ``λ·c_out² = 1``: no weight is
        left (DiffSDA, Eq. 5). With that of ε it is ``ε_θ − ε``, the loss of DDPM.
        """
        c = self._coefficients(sigma, x.ndim)
        noisy = x + sigma.view(c.c_in.shape) * noise
        residual: Tensor = self.network((c.c_in * noisy).to(x.dtype), c.c_noise.to(x.dtype), z) - (
            (x - c.c_skip * noisy) / c.c_out
        ).to(x.dtype)
        return residual

    def bind(self, z: Tensor, *, max_frames_per_pass: int) -> DenoiseFunction:
        """The function of noisy frames and one σ that samplers take: :meth:`forward` with ``z (N, Z)`` bound.

        A level's coefficients are numbers, worked out once: on a small network, tensors of them would
        take as long as the network does.
        """
        known: dict[float, tuple[float, float, float, Tensor]] = {}
        network = self.network

        def denoise(x: Tensor, level: float) -> Tensor:
            if level not in known:
                c = self.preconditioning(torch.tensor(level, dtype=torch.float64))
                noise = torch.full((len(z),), c.c_noise.item(), device=x.device)
                known[level] = (c.c_skip.item(), c.c_out.item(), c.c_in.item(), noise)
            c_skip, c_out, c_in, noise = known[level]
            f = in_passes(network, ((c_in * x).float(), noise, z), max_frames_per_pass)
            return torch.add(c_skip * x, f, alpha=c_out)

        return denoise
