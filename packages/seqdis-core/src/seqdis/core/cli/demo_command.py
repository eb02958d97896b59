"""``seqdis demo``: training, swaps and scores on a small dataset that is generated on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.cli.options import Device, Json, optional
from seqdis.core.cli.output import print_json, print_line, print_metrics, progress_bar
from seqdis.core.largest_sizes import LARGEST_SEED

__all__ = ["demo"]

_SET = "A change to the preset; may be repeated."
_FORCE = "Replace what an earlier demo left in --out."


def demo(
    modality: Annotated[str, typer.Option("--modality", help="See `seqdis list modalities`.")] = "video",
    out: Annotated[Path, typer.Option("--out", help="The folder for all files.")] = Path("runs/demo"),
    overrides: Annotated[list[str] | None, optional(_SET, "--set", metavar="KEY=VALUE")] = None,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, max=LARGEST_SEED, help="Seed of the data, the training and every draw."
        ),
    ] = 0,
    device: Device = None,
    force: Annotated[bool, typer.Option("--force", help=_FORCE)] = False,
    as_json: Json = False,
) -> None:
    """Make a dataset, train a small model on it, then reconstruct, swap and score."""
    from seqdis.core import registry
    from seqdis.core.demonstration import run_demo
    from seqdis.core.device_choice import pick_device

    record, files = run_demo(
        modality,
        out,
        overrides=overrides or [],
        seed=seed,
        device=str(pick_device(device)),
        force=force,
        show_progress=not as_json,
        bar=lambda text: progress_bar(text, show=not as_json),
    )
    if as_json:
        print_json(record.model_dump(mode="json") | {"files": [str(path) for path in files]})
        return
    if "swap" not in registry.list_plugins("scorers"):
        print_line("swaps are not scored: that needs the package seqdis-eval")
    title = f"{record.name} on held-out sequences, {record.wall_seconds:.0f} s on {record.device}"
    print_metrics(title, record.metrics)
    print_line("written: " + ", ".join(str(path) for path in files))
