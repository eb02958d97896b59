"""Predictability minimisation: a network reads the dynamics from the static factor, which learns to tell it nothing."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call

__all__ = ["Predictability", "PredictabilityLosses"]

_LEAST_VARIANCE = 1e-3


@dataclass(frozen=True)
class PredictabilityLosses:
    """The scalar that the reader minimises, the scalar that the static factor minimises, and what a training adds up.

    Args:
        reading: ``E‖g(s) − d̄‖²/Var(d̄)`` with s held fast: it trains the reader alone.
        share: ``Var(g(s))/Var(d̄)`` with the reader held fast: it moves s alone.
        weight: Weight of the share at the present step.
    """

    reading: Tensor
    share: Tensor
    weight: float

    @property
    def total(self) -> Tensor:
        """``reading + weight·share``, the term of a training loss."""
        return self.reading + self.weight * self.share

    @property
    def terms(self) -> dict[str, Tensor]:
        """Both sides for a log: ``reading`` and ``predictability``."""
        return {"reading": self.reading.detach(), "predictability": self.share.detach()}


class Predictability(nn.Module):
    """``R² = Var(g(s))/Var(d̄)``, ``g = argmin E‖g(s) − d̄‖²``, ``d̄ = mean_τ d^τ``: how much s tells of the dynamics.

    For the best ``g``, the conditional mean, the variances of ``g(s)`` and of the error add up to that of ``d̄``
    (the law of total variance), so that the first one's share is the coefficient of determination. An encoder that
    lowers it hides in s nothing but what lasts for a sequence and is in d as well: the action, the heading.

    The pair plays the game of Schmidhuber 1992, "Learning factorial codes by predictability minimization", with s's
    side of it bounded: the error itself, with its gradient reversed, grows without end in an s that is not.
    No gradient reaches d.

    Args:
        static: Width of the static factor, S.
        dynamic: Width of the dynamic factor, D.
        weight: Weight of the share at the end of training, and in evaluation mode.
        hidden: Width of the reader's two hidden layers.
    """

    def __init__(self, static: int, dynamic: int, *, weight: float, hidden: int = 256) -> None:
        super().__init__()
        self.weight = self.present_weight = weight
        self.reader = nn.Sequential(
            nn.Linear(static, hidden),
            nn.ReLU(),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Linear(hidden, dynamic),
        )

    def forward(self, static: Tensor, dynamic: Tensor, mask: Tensor | None = None) -> PredictabilityLosses:
        """Both sides' losses for the sequences of a batch.

        Args:
            static: ``(B, S)``.
            dynamic: ``(B, V, D)``.
            mask: True where a step exists, ``(B, V)``; all do when omitted.
        """
        goal = _mean_over_steps(dynamic.detach().float(), mask)
        variance = goal.var(0, correction=0).mean().clamp(min=_LEAST_VARIANCE)
        reading = (self.reader(static.detach()) - goal).square().mean() / variance
        fast = {name: value.detach() for name, value in self.reader.named_parameters()}
        told: Tensor = functional_call(self.reader, fast, (static,))
        weight = self.present_weight if self.training else self.weight
        return PredictabilityLosses(reading, told.var(0, correction=0).mean() / variance, weight)


def _mean_over_steps(x: Tensor, mask: Tensor | None) -> Tensor:
    if mask is None:
        return x.mean(1)
    return torch.where(mask[..., None], x, 0).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
