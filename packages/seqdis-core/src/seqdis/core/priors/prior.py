"""Prior: how new factors are drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from torch import Tensor

from seqdis.core.factors import Factors
from seqdis.core.random import RandomSource

__all__ = ["Prior"]


class Prior(ABC):
    """A distribution over factors ``(s, d^{1:V})``, fitted to what an encoder returned."""

    @abstractmethod
    def fit(self, factors: Factors, *, progress: Callable[[int, int], None] | None = None) -> Tensor:
        """Learn the distribution of ``factors``; returns the losses, one an epoch."""

    @abstractmethod
    def sample(
        self,
        count: int,
        *,
        generator: RandomSource,
        progress: Callable[[int, int], None] | None = None,
    ) -> Factors:
        """``count`` new pairs ``(ŝ, d̂^{1:V})``; row 0 does not depend on ``count``."""

    @abstractmethod
    def sample_static(self, given: Factors, *, generator: RandomSource) -> Factors:
        """The dynamics of ``given`` with new static factors, one for each of its sequences."""

    @abstractmethod
    def sample_dynamic(self, given: Factors, *, generator: RandomSource) -> Factors:
        """The static factors of ``given`` with new dynamics, one for each of its sequences."""
