"""The interface of a prior, from which new factors are drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from seqdis.core.config import Config, parse_config
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.random import GeneratorLike

__all__ = ["FittedPrior", "Prior"]


class Prior(ABC):
    """A distribution over factors ``(s, d^{1:V})``, learnt as part of a model or fitted to its factors afterwards."""

    @abstractmethod
    def sample(
        self,
        count: int,
        *,
        generator: GeneratorLike,
        steps: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Factors:
        """``count`` new pairs ``(ŝ, d̂^{1:V})``; row 0 does not depend on ``count``.

        Args:
            count: Number of pairs to draw.
            generator: One generator for all, or one a sequence.
            steps: Number of steps to draw, V; that of the sequences that the prior was learnt from when
                omitted.
            progress: Called as the work advances.

        Raises:
            InputError: The prior draws sequences of one length only, and ``steps`` is another.
        """

    @abstractmethod
    def sample_static(
        self, given: Factors, *, generator: GeneratorLike, independent: bool = False
    ) -> Factors:
        """The dynamics of ``given`` with new static factors, one for each of its sequences.

        With ``independent``, they are one half of joint draws: ``p(s)`` instead of ``p(s | d^{1:V})``.
        """

    @abstractmethod
    def sample_dynamic(
        self,
        given: Factors,
        *,
        generator: GeneratorLike,
        independent: bool = False,
        steps: int | None = None,
    ) -> Factors:
        """The static factors of ``given`` with new dynamics, one for each of its sequences.

        Args:
            given: Factors ``(B, …)`` whose static side is kept.
            generator: One generator for all, or one a sequence.
            independent: Whether to draw from ``p(d^{1:V})`` instead of ``p(d^{1:V} | s)``.
            steps: Number of steps to draw, V; that of ``given`` when omitted.
        """


class FittedPrior(Prior):
    """A prior that is fitted to a trained encoder's factors, and kept beside the model.

    A new kind names itself by an entry point of the group ``seqdis.priors``.
    """

    config_class: ClassVar[type[Config]]
    """The schema of its settings."""
    adjustable: ClassVar[tuple[str, ...]] = ()
    """The settings that act when drawing alone, and so may change after fitting."""
    config: Any
    """Its settings."""

    def use(self, changes: Mapping[str, Any]) -> None:
        """Draw with other settings from now on.

        Args:
            changes: New values of some of :attr:`adjustable`.

        Raises:
            InputError: A setting is unknown, cannot change after fitting, or is out of range.
        """
        for name in changes:
            if name not in self.adjustable:
                allowed = ", ".join(self.adjustable) or "none"
                raise InputError(f"prior: {name!r} cannot change after fitting; allowed: {allowed}")
        values = {**self.config.model_dump(mode="json"), **changes}
        self.config = parse_config(self.config_class, values, where="prior")

    @classmethod
    @abstractmethod
    def for_factors(
        cls,
        config: Any,
        factors: Factors,
        *,
        codebook: Tensor | None = None,
        device: torch.device | str = "cpu",
    ) -> Self:
        """Build an unfitted prior for factors of these shapes, on a device.

        Args:
            config: The prior's settings, a :attr:`config_class`.
            factors: The factors that the prior will be fitted to.
            codebook: The codebook of the model that encoded them; a prior that draws no codes does not use
                it.
            device: The device to put the prior on.
        """

    @abstractmethod
    def fit(self, factors: Factors, *, progress: Callable[[int, int], None] | None = None) -> Tensor:
        """Learn the distribution of ``factors``, and return the mean loss of each epoch, ``(epochs,)``."""

    @abstractmethod
    def save(self, folder: str | Path, *, about: Mapping[str, Any] | None = None) -> None:
        """Write a folder that :func:`~seqdis.core.priors.store.load_prior` reads."""

    @classmethod
    @abstractmethod
    def load(cls, folder: str | Path, *, device: torch.device | str = "cpu") -> Self:
        """Read what :meth:`save` wrote."""
