"""FactorisedPrior: the prior of a method whose two factors are independent a priori."""

from __future__ import annotations

from collections.abc import Callable

import torch

from seqdis.core.factors import Factors
from seqdis.core.priors.prior import Prior
from seqdis.core.random import GeneratorLike, GeneratorStack, stack_generators

__all__ = ["FactorisedPrior"]


class FactorisedPrior(Prior):
    """The prior ``p(s, d^{1:V}) = p(s) p(d^{1:V})``, under which one factor holds no information on the other.

    Args:
        draw: A function ``draw(rows, steps)`` that gives one new pair for each of the stacked generators;
            extras move with their side.
        steps: Number of steps drawn where none is asked for, V.
    """

    def __init__(self, draw: Callable[[GeneratorStack, int], Factors], *, steps: int) -> None:
        self._draw, self._steps = draw, steps

    @torch.no_grad()
    def sample(
        self,
        count: int,
        *,
        generator: GeneratorLike,
        steps: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Factors:
        """``count`` new pairs of any length."""
        drawn = self._draw(stack_generators(generator, count), self._steps if steps is None else steps)
        if progress is not None:
            progress(count, count)
        return drawn

    @torch.no_grad()
    def sample_static(
        self, given: Factors, *, generator: GeneratorLike, independent: bool = False
    ) -> Factors:
        """New static sides for the dynamics of ``given``; ``independent`` makes no difference."""
        drawn = self._draw(stack_generators(generator, len(given)), given.steps)
        return drawn.mix(given.to(drawn.static.device))

    @torch.no_grad()
    def sample_dynamic(
        self,
        given: Factors,
        *,
        generator: GeneratorLike,
        independent: bool = False,
        steps: int | None = None,
    ) -> Factors:
        """New dynamic sides for the static factors of ``given``; ``independent`` makes no difference."""
        drawn = self._draw(stack_generators(generator, len(given)), given.steps if steps is None else steps)
        return given.to(drawn.static.device).mix(drawn)
