"""``seqdis train``: a preset on data of one's own or on a named dataset."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from seqdis.core.cli.options import Data, Device, InitFrom, Json, Overrides, Resume, argument, optional
from seqdis.core.cli.output import print_json, print_result, print_table
from seqdis.core.largest_sizes import LARGEST_SEED

__all__ = ["train"]


def train(
    preset: Annotated[str, argument("PRESET", "See `seqdis list presets`.")],
    overrides: Overrides = None,
    data: Data = None,
    out: Annotated[Path | None, optional("The run's folder; runs/PRESET when omitted.", "--out")] = None,
    resume: Resume = False,
    init_from: InitFrom = None,
    seed: Annotated[int | None, optional("Same as train.seed=N.", "--seed", min=0, max=LARGEST_SEED)] = None,
    device: Device = None,
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Leave out files that cannot be used, and list them.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be trained, and stop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a preset and leave a run folder that the other commands read.

    Ctrl-C and SIGTERM write a checkpoint first, from which --resume goes on bit for bit; a second Ctrl-C does not wait.
    """
    from seqdis.core.config import apply_overrides
    from seqdis.core.device_choice import pick_device
    from seqdis.core.processes import is_first_process
    from seqdis.core.registry import get_preset
    from seqdis.core.training import train as run_training
    from seqdis.core.training.plan import training_plan

    changes = [*(overrides or []), *([] if seed is None else [f"train.seed={seed}"])]
    changes += ["data.skip_bad=true"] if skip_bad else []
    config = apply_overrides(get_preset(preset), changes)
    chosen = str(pick_device(device))
    folder = out or Path("runs") / preset
    if dry_run:
        plan = training_plan(config, folder, data=data, resume=resume, init_from=init_from)
        completed = plan.pop("config")
        plan = {"out": str(folder), "device": chosen, **plan}
        _print_plan(plan, completed, as_json=as_json)
        return
    started = time.perf_counter()
    paths = [
        *([] if init_from is None else ["--init-from", str(init_from)]),
        *([] if data is None else ["--data", str(data)]),
        *("--out", str(folder)),
    ]
    model = run_training(
        config,
        folder,
        data=data,
        resume=resume,
        init_from=init_from,
        device=chosen,
        command=shlex.join(["seqdis", "train", preset, *changes, *paths]),
        show_progress=not as_json,
    )
    if not is_first_process():
        return
    parameters = sum(p.numel() for p in model.parameters())
    seconds = time.perf_counter() - started
    print_result(
        {"out": str(folder), "parameters": parameters, "wall_seconds": seconds},
        f"{folder}: config.json and model.safetensors written; see also `seqdis swap {folder} --help`",
        as_json=as_json,
    )


def _print_plan(plan: dict[str, Any], config: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(plan | {"config": config})
        return
    print_table("would train", ["what", "value"], [[k.replace("_", " "), v] for k, v in plan.items()])
    print_table("with", ["key", "value"], list(_flat(config).items()))


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested settings as one level of dotted keys."""
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
