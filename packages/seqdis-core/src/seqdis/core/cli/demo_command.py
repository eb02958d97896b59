"""``seqdis demo``: training, swaps and scores on a small dataset that is generated on the spot."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Device, Json, optional
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar

if TYPE_CHECKING:
    from seqdis.core.metric import Metric

__all__ = ["demo"]

_SET = "A change to the preset; may be repeated."
_FORCE = "Replace what an earlier demo left in --out."


def demo(
    modality: Annotated[str, typer.Option("--modality", help="See `seqdis list modalities`.")] = "video",
    out: Annotated[Path, typer.Option("--out", help="The folder for all files.")] = Path("runs/demo"),
    overrides: Annotated[list[str] | None, optional(_SET, "--set", metavar="KEY=VALUE")] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of the data, the training and every draw.")
    ] = 0,
    device: Device = None,
    force: Annotated[bool, typer.Option("--force", help=_FORCE)] = False,
    as_json: Json = False,
) -> None:
    """Make a dataset, train a small model on it, then reconstruct, swap and score."""
    from seqdis.core import registry
    from seqdis.core.cli.model import pick_device
    from seqdis.core.demonstration import run_demo

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
    rows = [_row(name, metric) for name, metric in record.metrics.items()]
    title = f"{record.name} on held-out sequences, {record.wall_seconds:.0f} s on {record.device}"
    print_table(title, ["metric", "value", "95% interval", "chance"], rows)
    print_line("written: " + ", ".join(str(path) for path in files))


def _row(name: str, metric: Metric) -> list[str]:
    interval = "" if metric.ci95 is None else " - ".join(map(_figure, metric.ci95))
    chance = "" if metric.chance is None else _figure(metric.chance)
    return [name, _figure(metric.value), interval, chance]


def _figure(value: float) -> str:
    """Three decimals, or three significant digits of a number too small for that."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2e}"
