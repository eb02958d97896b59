"""Settings that may change when a run goes on, and the step that it goes on from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seqdis.core.config import RunConfig
from seqdis.core.errors import InputError
from seqdis.core.pretrained import read_run_config
from seqdis.core.training.checkpoint import read_state
from seqdis.core.training.differing_settings import Change, differing_settings
from seqdis.core.training.run_folder import RunFolder
from seqdis.core.training.schedule import total_steps

__all__ = ["CHANGEABLE", "Continuation", "changes_since", "plan_continuation"]

CHANGEABLE = (
    # The length: schedules, order and noise are functions of the step, so that more steps simply follow.
    "train.steps",
    "train.epochs",
    # Read anew at every step; neither the moments of AdamW nor the averaged weights were made for one value.
    "train.lr",
    "train.schedule",
    "train.warmup_steps",
    "train.weight_decay",
    "train.grad_clip",
    "train.ema_decay",
    # Another way to compute the same: checkpoints hold float32 weights under the same names in any case, and the
    # noise is drawn for the whole batch before it is cut.
    "train.precision",
    "train.compile",
    "train.accumulate",
    # What is looked at and kept, and when to stop.
    "train.log_every",
    "train.eval_every",
    "train.patience",
    "train.save_every",
    "train.keep",
    "train.workers",
    # The prior is fitted afterwards.
    "prior",
)
"""Settings that may change between a run and its continuation, alone or as the section of a setting.

All others may not. Model, method, data and codec are what the weights, the optimiser's moments and the normaliser were
made for. With another ``batch_size`` a step would stand for another place in the data and in stages that are counted in
epochs; with another ``seed`` for other noise. The bias correction of AdamW counts all steps with one pair of ``betas``.
Ramps run over the length of their stage, so that another list of ``stages`` would move values that are set already:
``steps`` lengthens the last of them.
"""

_NO_RESULT_DEPENDS_ON = ("train.workers", "train.keep", "prior")


@dataclass(frozen=True)
class Continuation:
    """The state of a run when it is started or started again.

    Attributes:
        finished: Whether nothing is left to do.
        changes: Settings that differ from those so far, by their path.
    """

    finished: bool = False
    changes: Mapping[str, Change] = field(default_factory=dict)


def changes_since(config_file: Path, config: RunConfig) -> dict[str, Change]:
    """Settings that differ from those that a run was trained with.

    Args:
        config_file: The ``config.json`` of the run or of its newest checkpoint.
        config: The configuration that it shall go on with.

    Raises:
        InputError: ``config_file`` cannot be used, or a setting differs that may not; the message names the first
            and all that may.
    """
    changes = differing_settings(read_run_config(config_file), config)
    for key, change in changes.items():
        if not _is_one_of(key, CHANGEABLE):
            raise InputError(
                f"{config_file}: the run was started with {key} = {change.before!r}, now it is {change.now!r}, "
                f"which may not change when it goes on; allowed to change: {', '.join(CHANGEABLE)}; or train "
                "into another folder, from these weights by --init-from"
            )
    return changes


def plan_continuation(folder: RunFolder, config: RunConfig, *, steps_per_epoch: int) -> Continuation:
    """Find out whether a run begins, goes on (with which changes), or has nothing left to do; nothing is written.

    A run that is finished goes on if it is given more steps.

    Args:
        folder: Folder of the run.
        config: Configuration that it shall be trained with from here on.
        steps_per_epoch: Number of optimiser steps in an epoch of its data.

    Raises:
        InputError: A setting differs that may not, or the differing ones leave nothing to do.
    """
    newest, before = folder.newest(), folder.trained_config()
    if before is None:
        return Continuation()
    changes = changes_since(before, config)
    matters = [key for key in changes if not _is_one_of(key, _NO_RESULT_DEPENDS_ON)]
    if folder.finished and not matters:
        return Continuation(finished=True, changes=changes)
    if newest is None:
        if folder.finished:
            raise InputError(
                f"{folder.root}: is finished and holds no checkpoint to go on from with another {matters[0]}; "
                "start a new run from its weights by --init-from"
            )
        return Continuation()  # nothing is trained yet: it begins, with these settings
    state, total = read_state(newest), total_steps(config.train, steps_per_epoch)
    if total < state.step:
        raise InputError(
            f"{folder.root}: {state.step} steps are done already, more than the {total} asked for"
        )
    if folder.finished and total == state.step:
        raise InputError(
            f"{folder.root}: is finished after {total} steps, another {matters[0]} would change nothing; "
            "give a larger train.steps as well"
        )
    patience = config.train.patience
    if matters and patience is not None and state.evaluations_since_best >= patience:
        raise InputError(
            f"{folder.root}: ended early, after {state.evaluations_since_best} validations without a lower loss; "
            "to go on, give a larger train.patience as well, or none"
        )
    return Continuation(changes=changes)


def _is_one_of(key: str, allowed: tuple[str, ...]) -> bool:
    return any(key == name or key.startswith(f"{name}.") for name in allowed)
