"""The stages of a run: which one a step belongs to, and what changes when one begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import nn

from seqdis.core.config import StageConfig, TrainConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.schedules import InStages, Ramp, ValueSchedule
from seqdis.core.training.hooks import hooks_of

__all__ = ["Stages"]


class Stages:
    """The stages of a run by step; entering one is a function of the step alone, so that resuming is exact.

    Args:
        config: The training's settings, which list the stages; the last one lasts to the end of the run.
        model: The model whose parameter groups the stages name.
        steps_per_epoch: Number of optimiser steps in an epoch, for stages whose length is given in epochs.

    Raises:
        InputError: A stage names a parameter group that the model does not have.
    """

    def __init__(self, config: TrainConfig, model: Disentangler, *, steps_per_epoch: int) -> None:
        self._hooks, self._stages = hooks_of(model), config.stages
        # All groups are read now: those that a stage freezes must be known to the next one.
        self._groups: Mapping[str, Sequence[nn.Parameter]] = (
            dict(self._hooks.parameter_groups()) if self._stages else {}
        )
        for stage in self._stages:
            unknown = sorted({*stage.rates, *stage.frozen} - self._groups.keys())
            if unknown:
                raise InputError(
                    f"train.stages: stage {stage.name!r} names the parameter group {unknown[0]!r}; "
                    f"allowed: {', '.join(self._groups)}"
                )
        self._lengths = [stage.length(steps_per_epoch) for stage in self._stages]
        self._current: StageConfig | None = None

    def at(self, step: int) -> StageConfig | None:
        """The stage of step ``step``, counted from 0; None for a run without stages."""
        end = 0
        for stage, length in zip(self._stages, self._lengths, strict=True):
            end += length
            if step < end:
                return stage
        return self._stages[-1] if self._stages else None

    def schedules(self) -> Mapping[str, ValueSchedule]:
        """The values that the stages move, by the step of the run."""
        parts: dict[str, list[tuple[int, Ramp]]] = {}
        begin = 0
        for stage, length in zip(self._stages, self._lengths, strict=True):
            for name, ramp in stage.ramps.items():
                parts.setdefault(name, []).append(
                    (begin, Ramp(ramp.start, ramp.end, length, ramp.kind, ramp.via))
                )
            begin += length
        return {name: InStages(ramps) for name, ramps in parts.items()}

    def enter(self, step: int) -> Mapping[str, float]:
        """Make the model ready for ``step``; returns factors on the learning rate, by group."""
        stage = self.at(step)
        if stage is None:
            return {}
        if stage is not self._current:
            for name, parameters in self._groups.items():
                for parameter in parameters:
                    parameter.requires_grad_(name not in stage.frozen)
            self._hooks.on_stage(stage.name)
            self._current = stage
        return stage.rates
