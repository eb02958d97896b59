"""Gaussians of a pose given the one before: VDSM's transition, and the combiner that infers poses."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.core.methods.vdsm.gaussian_layer import GaussianLayer, log_softplus
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.random import GeneratorStack

__all__ = ["Combiner", "GatedTransition", "roll_out"]


class GatedTransition(nn.Module):
    """``p(z^τ | z^{τ−1}, d)`` (VDSM, Eq. 6), with ``u = {z^{τ−1}, d}``.

    ``g = sigmoid(f₂ ReLU f₁ u)``, ``h = f₄ ReLU f₃ u``, ``μ = g ∘ h + (1 − g) ∘ f₅ u``,
    ``σ = ln(1 + exp(f₆ ReLU h))``.

    Args:
        pose: Width of ``z``, D.
        action: Width of ``d``.
        hidden: Width of ``f₁`` and ``f₃``.
    """

    def __init__(self, *, pose: int, action: int, hidden: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(pose + action, hidden), nn.ReLU(), nn.Linear(hidden, pose))
        self.proposal = nn.Sequential(nn.Linear(pose + action, hidden), nn.ReLU(), nn.Linear(hidden, pose))
        self.linear = nn.Linear(pose + action, pose)
        self.scale = nn.Linear(pose, pose)
        with torch.no_grad():  # a pose stays where it is, until something is learnt (Krishnan et al. 2017)
            self.linear.weight.copy_(torch.eye(pose, pose + action))
            self.linear.bias.zero_()

    def forward(self, pose: Tensor, action: Tensor) -> DiagonalGaussian:
        """``z^{τ−1} (…, D)`` and ``d`` of the same batches to a Gaussian over ``z^τ (…, D)``, in float32."""
        u = torch.cat([pose, action], dim=-1)
        gate, proposal = torch.sigmoid(self.gate(u)), self.proposal(u)
        mean = gate * proposal + (1 - gate) * self.linear(u)
        return DiagonalGaussian(mean.float(), log_softplus(self.scale(torch.relu(proposal)).float()))


class Combiner(nn.Module):
    """``q(z^τ | z^{τ−1}, x^{1:V}, d)`` (VDSM, Eq. 5).

    ``c = ½ (tanh(f₇ z^{τ−1}) + {h^τ, d})``, ``μ = f₈ c``, ``σ = ln(1 + exp(f₉ c))``.

    Args:
        pose: Width of ``z``, D.
        state: Width of ``{h, d}``.
    """

    def __init__(self, *, pose: int, state: int) -> None:
        super().__init__()
        self.previous = nn.Linear(pose, state)
        self.gaussian = GaussianLayer(state, pose)

    def forward(self, pose: Tensor, state: Tensor) -> DiagonalGaussian:
        """``z^{τ−1} (B, D)`` and ``{h^τ, d} (B, state)`` to a Gaussian over ``z^τ (B, D)``."""
        out: DiagonalGaussian = self.gaussian(0.5 * (torch.tanh(self.previous(pose)) + state))
        return out


def roll_out(
    transition: Callable[[Tensor, Tensor], DiagonalGaussian],
    first: Tensor,
    action: Tensor,
    *,
    steps: int,
    generator: GeneratorStack | None = None,
) -> Tensor:
    """``z^1`` and ``z^τ ~ p(z^τ | z^{τ−1}, d)`` after it (VDSM, Eq. 1): ``(B, steps, D)``.

    Args:
        transition: The transition ``p(z^τ | z^{τ−1}, d)``.
        first: The first pose ``z^1``, ``(B, D)``.
        action: The action ``d``, ``(B, A)``.
        steps: Number of steps, V, at least 1.
        generator: Source of the draws, one stream a sequence; when omitted, a pose is its distribution's
            mean.

    Raises:
        InputError: ``steps`` is below one.
    """
    if steps < 1:
        raise InputError(f"sequences of {steps} steps; allowed: 1 or more")
    poses = [first]
    for _ in range(steps - 1):
        p = transition(poses[-1], action)
        poses.append(p.mean if generator is None else p.draw(generator))
    return torch.stack(poses, dim=1)
