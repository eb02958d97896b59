"""The learning rate as a pure function of the step, which has no state to save."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from seqdis.core.config import TrainConfig
from seqdis.core.errors import InputError

__all__ = ["Schedule", "total_steps"]


def total_steps(config: TrainConfig, steps_per_epoch: int) -> int:
    """The number of optimiser steps of a run: ``steps``, else the sum over stages, else that of ``epochs``.

    Raises:
        InputError: None of them is given.
    """
    if config.steps is not None:
        return config.steps
    if config.stages:
        return sum(stage.length(steps_per_epoch) for stage in config.stages)
    if config.epochs is None:
        raise InputError("train: steps and epochs are both None; give one of them")
    return config.epochs * steps_per_epoch


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up over W steps, then a half cosine to 0 at step T, or a constant.

    ``r(k) = (k + 1) / W`` for ``k < W``, else ``½ (1 + cos(π (k − W) / (T − W)))`` or 1.

    Attributes:
        total: Number of steps of the run, T.
        warmup: Number of warm-up steps, W.
        kind: Shape of the schedule after the warm-up, ``"cosine"`` or ``"constant"``.
    """

    total: int
    warmup: int
    kind: Literal["cosine", "constant"] = "cosine"

    @classmethod
    def from_config(cls, config: TrainConfig, steps_per_epoch: int) -> Schedule:
        """Read the run's schedule; the warm-up is one epoch unless given, and at most half the run."""
        total = total_steps(config, steps_per_epoch)
        warmup = min(steps_per_epoch, total // 2) if config.warmup_steps is None else config.warmup_steps
        return cls(total, warmup, config.schedule)

    def __call__(self, step: int) -> float:
        """The factor on the learning rate of step ``step``, counted from 0."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        if self.kind == "constant":
            return 1.0
        return 0.5 * (1 + math.cos(math.pi * (step - self.warmup) / max(1, self.total - self.warmup)))
