"""``seqdis train``: a preset on data of one's own or on a named dataset."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqdis.core.cli.options import Data, Device, Json
from seqdis.core.cli.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from seqdis.core.config import RunConfig
    from seqdis.core.data.sequence_dataset import SequenceDataset

__all__ = ["build_splits", "train"]


def train(
    preset: Annotated[
        str, typer.Argument(metavar="PRESET", show_default=False, help="See `seqdis list presets`.")
    ],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE", show_default=False, help="Changes to the preset, e.g. train.steps=1000."
        ),
    ] = None,
    data: Data = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", show_default=False, help="The run's folder; runs/PRESET when omitted."),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from the newest checkpoint in --out.")
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", min=0, show_default=False, help="Same as train.seed=N.")
    ] = None,
    device: Device = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be trained, and stop.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Train a preset and leave a run folder that the other commands read."""
    from seqdis.core.cli.model import pick_device
    from seqdis.core.cli.processes import is_first_process
    from seqdis.core.config import apply_overrides
    from seqdis.core.pretrained import build_model
    from seqdis.core.registry import get_preset
    from seqdis.core.training import train as run_training

    changes = [*(overrides or []), *([] if seed is None else [f"train.seed={seed}"])]
    config = apply_overrides(get_preset(preset), changes)
    place = pick_device(device)
    folder = out or Path("runs") / preset
    train_set, val_set = build_splits(config, data)
    if dry_run:
        parameters = sum(p.numel() for p in build_model(config).parameters() if p.requires_grad)
        _print_plan(_plan(config, folder, str(place), parameters, train_set, val_set), as_json=as_json)
        return
    started = time.perf_counter()
    places = [*(["--data", str(data)] if data else []), "--out", str(folder)]
    words = ["seqdis", "train", preset, *changes, *places]
    model = run_training(
        config,
        folder,
        train_set=train_set,
        val_set=val_set,
        resume=resume,
        device=str(place),
        command=shlex.join(words),
        show_progress=not as_json,
    )
    if not is_first_process():
        return
    if as_json:
        parameters = sum(p.numel() for p in model.parameters())
        print_json(
            {"out": str(folder), "parameters": parameters, "wall_seconds": time.perf_counter() - started}
        )
    else:
        print_line(
            f"{folder}: config.json and model.safetensors written; see also `seqdis swap {folder} --help`"
        )


def build_splits(config: RunConfig, root: Path | None) -> tuple[SequenceDataset, SequenceDataset | None]:
    """The training and validation split of a run; a folder of one's own may have no ``val``.

    Raises:
        InputError: See :func:`build_dataset`.
    """
    from seqdis.core.registry import build_dataset

    def split(name: str) -> SequenceDataset:
        return build_dataset(config.modality, config.data, name, root=root, seed=config.train.seed)

    without_val = root is not None and (root / "train").is_dir() and not (root / "val").is_dir()
    return split("train"), None if config.data.dataset == "folder" and without_val else split("val")


def _plan(
    config: RunConfig,
    out: Path,
    device: str,
    parameters: int,
    train_set: SequenceDataset,
    val_set: SequenceDataset | None,
) -> dict[str, Any]:
    from seqdis.core.training.schedule import total_steps

    per_epoch = -(-len(train_set) // config.train.batch_size)
    return {
        "out": str(out),
        "device": device,
        "parameters": parameters,
        "steps": total_steps(config.train, per_epoch),
        "train_sequences": len(train_set),
        "val_sequences": 0 if val_set is None else len(val_set),
        "sequence_shape": [*train_set.shape],
        "config": config.model_dump(mode="json"),
    }


def _print_plan(plan: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(plan)
        return
    config = plan.pop("config")
    print_table("would train", ["what", "value"], [[k.replace("_", " "), v] for k, v in plan.items()])
    print_table("with", ["key", "value"], list(_flat(config).items()))


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, dict) else {prefix + key: value}
    return flat
