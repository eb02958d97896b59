"""The protocols that a score needs of a judge; anything that keeps one of these protocols will do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from torch import Tensor

from seqdis.core.data.labels import Label

__all__ = ["GradedJudge", "Judge"]


class Judge(Protocol):
    """A classifier of sequences, as a score needs it."""

    @property
    def labels(self) -> Mapping[str, Label]:
        """Labels that the judge decides."""

    def predict(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        """The class of every label, each ``(B,)``, of clips ``(B, V, *frame)`` in natural units."""


class GradedJudge(Judge, Protocol):
    """A judge that also says how sure it is, as entropies need it."""

    def probabilities(self, x: Tensor, mask: Tensor | None = None) -> dict[str, Tensor]:
        """``p(y|x)`` of every label, each ``(B, classes)``, of clips ``(B, V, *frame)`` in natural units."""
