"""The prior of a state-space method: standard normals and a transition between poses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.priors.prior import Prior
from seqdis.core.random import RandomSource, Rows, randn, rows_of

__all__ = ["ACTION", "StateSpacePrior", "Transition", "roll_out"]

ACTION = "action"
"""The extra that holds what moves the poses of a sequence."""

Transition = Callable[[Tensor, Tensor], DiagonalGaussian]
"""``p(z^τ | z^{τ−1}, d)`` of ``z^{τ−1} (B, D)`` and ``d (B, A)``."""


def roll_out(
    transition: Transition, first: Tensor, action: Tensor, *, steps: int, generator: Rows | None = None
) -> Tensor:
    """``z^1`` and ``z^τ ~ p(z^τ | z^{τ−1}, d)`` after it, ``(B, steps, D)``.

    Args:
        transition: ``p``.
        first: ``z^1 (B, D)``.
        action: ``d (B, A)``.
        steps: V, as many as one likes.
        generator: Each pose is drawn; without one, it is its distribution's mean.
    """
    poses = [first]
    for _ in range(steps - 1):
        p = transition(poses[-1], action)
        poses.append(p.mean if generator is None else p.draw(generator))
    return torch.stack(poses, dim=1)


@dataclass(frozen=True, kw_only=True)
class StateSpacePrior(Prior):
    """``s, d, z^1 ~ N(0, I)``, ``z^τ ~ p(z^τ | z^{τ−1}, d)``: sequences of any length (VDSM, Eq. 1).

    Attributes:
        transition: Learnt with the model; None: no action yet, and every pose is a standard normal.
        static: Width of ``s``.
        action: Width of ``d``.
        pose: Width of ``z``.
        steps: V where a caller does not say.
        device: Where the transition is, and so the draws.
    """

    transition: Transition | None
    static: int
    action: int
    pose: int
    steps: int
    device: torch.device

    def _static(self, rows: Rows) -> Tensor:
        return randn((len(rows), self.static), generator=rows, device=self.device)

    @torch.no_grad()
    def _with_dynamics(self, static: Tensor, rows: Rows, steps: int | None) -> Factors:
        steps = self.steps if steps is None else steps
        if steps < 1:
            raise InputError(f"sequences of {steps} steps; allowed: 1 or more")
        if self.transition is None:
            return Factors(static, randn((len(rows), steps, self.pose), generator=rows, device=self.device))
        action = randn((len(rows), self.action), generator=rows, device=self.device)
        first = randn((len(rows), self.pose), generator=rows, device=self.device)
        poses = roll_out(self.transition, first, action, steps=steps, generator=rows)
        return Factors(static, poses, {ACTION: Extra(action, "dynamic")})

    def sample(
        self,
        count: int,
        *,
        generator: RandomSource,
        steps: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Factors:
        """``count`` new pairs; the first poses do not depend on how many follow."""
        rows = rows_of(generator, count)
        factors = self._with_dynamics(self._static(rows), rows, steps)
        if progress is not None:
            progress(count, count)
        return factors

    def sample_static(self, given: Factors, *, generator: RandomSource, independent: bool = False) -> Factors:
        """The dynamics of ``given`` with new static factors; the two sides are independent in any case."""
        return replace(given.to(self.device), static=self._static(rows_of(generator, len(given))))

    def sample_dynamic(
        self,
        given: Factors,
        *,
        generator: RandomSource,
        independent: bool = False,
        steps: int | None = None,
    ) -> Factors:
        """The static factors of ``given`` with a new action and new poses, of any length."""
        rows = rows_of(generator, len(given))
        return self._with_dynamics(given.static.to(self.device), rows, given.steps if steps is None else steps)
