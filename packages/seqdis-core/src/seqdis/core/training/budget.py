"""Runs of another length than their preset's, with everything that is counted in steps scaled along."""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from seqdis.core.config import RunConfig, StageConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.reading import read_json

__all__ = ["Budget", "scaled_to", "seconds_per_step"]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
_PILOTS = (8, 24)


@dataclass(frozen=True)
class Budget:
    """The length of a training, in optimiser steps or in seconds.

    Attributes:
        steps: Number of optimiser steps; None for a budget in time.
        seconds: Seconds of training; None for a budget in steps.
    """

    steps: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"90s"``, ``"10m"``, ``"1.5h"``, or a number of optimiser steps such as ``"2000"``.

        Raises:
            InputError: The text is none of these, or its number is not above zero.
        """
        match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", text.strip())
        number, unit = match.groups() if match else ("0", "")
        if float(number) <= 0 or (not unit and not number.isdigit()):
            raise InputError(f"budget {text!r}; allowed: a time such as 90s, 10m, 1.5h, or a number of steps")
        return cls(seconds=float(number) * _UNITS[unit]) if unit else cls(steps=int(number))


def scaled_to(config: RunConfig, steps: int, *, steps_per_epoch: int) -> RunConfig:
    """Scale a run to ``steps`` optimiser steps: stages keep their shares, the warm-up a tenth at most.

    The scaled run is validated and saved at its end alone.

    Args:
        config: The run, of any length.
        steps: The new length.
        steps_per_epoch: Number of optimiser steps in an epoch of the training split.

    Raises:
        InputError: There are more stages than steps.
    """
    t = config.train
    if steps < max(1, len(t.stages)):
        raise InputError(f"steps {steps}: a run of {len(t.stages)} stages needs at least as many")
    lengths = [stage.length(steps_per_epoch) for stage in t.stages]
    stages: list[StageConfig] = []
    for index, stage in enumerate(t.stages):
        ends = [round(steps * sum(lengths[:stop]) / sum(lengths)) for stop in (index, index + 1)]
        stages.append(stage.model_copy(update={"steps": max(1, ends[1] - ends[0]), "epochs": None}))
    warmup = steps_per_epoch if t.warmup_steps is None else t.warmup_steps
    changes = {
        "steps": steps,
        "epochs": None,
        "stages": tuple(stages),
        "warmup_steps": min(warmup, steps // 10),
        "eval_every": steps,
        "save_every": max(1, steps // 4),
        "log_every": max(1, min(t.log_every, steps // 4)),
    }
    return config.model_copy(update={"train": t.model_copy(update=changes)})


def seconds_per_step(
    config: RunConfig, train_set: SequenceDataset, *, steps_per_epoch: int, device: str | None = None
) -> float:
    """Measure an optimiser step in seconds, over all stages, as the difference of two short runs.

    Args:
        config: The configuration of the run.
        train_set: The training split.
        steps_per_epoch: Number of optimiser steps in an epoch of ``train_set``.
        device: The device to train on, as for :func:`~seqdis.core.training.run.train`.
    """
    from seqdis.core.training.run import train

    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        for steps in _PILOTS:
            pilot = scaled_to(config, steps, steps_per_epoch=steps_per_epoch)
            out = Path(folder) / str(steps)
            train(pilot, out, train_set=train_set, val_set=None, device=device, show_progress=False)
            seconds.append(read_json(out / "run.json")["seconds"])
    return max(1e-4, (seconds[1] - seconds[0]) / (_PILOTS[1] - _PILOTS[0]))
