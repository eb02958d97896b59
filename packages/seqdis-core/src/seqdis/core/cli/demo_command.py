"""``seqdis demo``: the whole thing on a small dataset that is made on the spot."""

from __future__ import annotations

import shlex
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Device, Json
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.config import RunConfig
    from seqdis.core.data.sequence_dataset import SequenceDataset
    from seqdis.core.disentangler import Disentangler
    from seqdis.core.modality import Modality
    from seqdis.core.results import Metric, ResultRecord

__all__ = ["demo"]

PAIRS = 4
"""Swaps that are drawn."""

SCORED = 128
"""Swaps that are judged, at most."""

LEFT_BY_A_DEMO = (
    "config.json",
    "model.safetensors",
    "log.jsonl",
    "tensorboard",
    "previews",
    "checkpoints",
    "metrics.json",
)


def demo(
    modality: Annotated[str, typer.Option("--modality", help="See `seqdis list modalities`.")] = "video",
    out: Annotated[Path, typer.Option("--out", help="Where everything is left.")] = Path("runs/demo"),
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="KEY=VALUE", show_default=False, help="A change to the preset; may be repeated."
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of the data, the training and every draw.")] = 0,
    device: Device = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace what an earlier demo left in --out.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a dataset, train a small model on it, then reconstruct, swap and score."""
    from seqdis.core.cli.model import pick_device
    from seqdis.core.config import apply_overrides
    from seqdis.core.registry import build_dataset, get_modality, get_preset
    from seqdis.core.results import ResultRecord, device_name, installed_versions
    from seqdis.core.training import train

    started = time.perf_counter()
    plugin = get_modality(modality)
    preset = plugin.demo()
    if preset is None:
        raise InputError(f"modality {modality!r} has no demo; `seqdis list modalities` says which have")
    config = apply_overrides(get_preset(preset), [*(overrides or []), f"train.seed={seed}"])
    place = pick_device(device)
    command = shlex.join(
        ["seqdis", "demo", "--modality", modality, "--seed", str(seed)]
        + [word for change in overrides or [] for word in ("--set", change)]
    )
    train_set, val_set, test_set = (
        build_dataset(modality, config.data, split, seed=seed) for split in ("train", "val", "test")
    )
    _make_room(out, force=force)
    model = train(
        config,
        out,
        train_set=train_set,
        val_set=val_set,
        device=str(place),
        command=command,
        show_progress=not as_json,
    )
    pictures = _show(model, plugin, config, test_set, out, seed=seed, quiet=as_json)
    metrics = _measure(model, train_set, test_set, seed=seed, quiet=as_json)
    record = ResultRecord(
        name=f"demo-{modality}",
        method=config.method,
        dataset=config.data.dataset,
        modality=modality,
        command=command,
        seed=seed,
        device=device_name(model.device),
        wall_seconds=round(time.perf_counter() - started, 1),
        versions=installed_versions(),
        metrics=metrics,
    )
    record.save(out / "metrics.json")
    _report(record, [*pictures, out / "metrics.json"], as_json=as_json)


def _make_room(out: Path, *, force: bool) -> None:
    """Clear away an earlier demo by the names of what it left; a person's own files stay.

    Raises:
        InputError: Something is there and ``force`` is off.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file; a folder is needed")
    if not out.is_dir() or not any(out.iterdir()):
        return
    if not force:
        raise InputError(
            f"--out {out}: is not empty; name another folder, or add --force to replace an earlier demo"
        )
    for name in LEFT_BY_A_DEMO:
        path = out / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _show(
    model: Disentangler,
    modality: Modality,
    config: RunConfig,
    test_set: SequenceDataset,
    out: Path,
    *,
    seed: int,
    quiet: bool,
) -> list[Path]:
    """Draw a few swaps of held-out pairs, and write the first pair as files to play or to open."""
    import torch

    from seqdis.core.analysis.swap import swap_pairs
    from seqdis.core.cli.media import draw_picture, write_media

    a, b = (test_set.fetch(side) for side in _telling_pairs(test_set, PAIRS, seed))
    generator = torch.Generator().manual_seed(seed)
    with progress_bar("swapping", show=not quiet) as progress:
        result = swap_pairs(
            model, a.to(model.device), b.to(model.device), generator=generator, progress=progress
        )
    kinds = [kind for kind in dict.fromkeys((modality.pictures[0], ".gif")) if kind in modality.pictures]
    written = [out / f"swap{kind}" for kind in kinds]
    for path in written:
        draw_picture(modality, path, result.grid(), config.data)
    if ".gif" in modality.pictures:
        return written
    # Where no picture moves, the first pair can be played or opened instead.
    suffix = modality.writes[0]
    for name, frames in result.named().items():
        path = out / f"{name}{suffix}"
        write_media(modality, path, frames[0], config.data)
        written.append(path)
    return written


def _telling_pairs(dataset: SequenceDataset, count: int, seed: int) -> tuple[list[int], list[int]]:
    """Random pairs that differ in as many labels as can be: there a swap has the most to show."""
    import torch

    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(seed)).tolist()
    labels = list(dataset.all_labels().values())
    left, pairs = order[: 8 * count], []
    for _ in range(min(count, len(left) // 2)):
        first = left.pop(0)
        second = max(left, key=lambda other: sum(bool(value[first] != value[other]) for value in labels))
        left.remove(second)
        pairs.append((first, second))
    return [first for first, _ in pairs], [second for _, second in pairs]


def _measure(
    model: Disentangler, train_set: SequenceDataset, test_set: SequenceDataset, *, seed: int, quiet: bool
) -> dict[str, Metric]:
    """Scores of swaps, by a judge that seqdis-eval brings, and linear probes of both factors."""
    from seqdis.core.analysis.encode import encode_dataset
    from seqdis.core.analysis.probe import probe_factors
    from seqdis.core.registry import get_plugin, list_plugins

    metrics: dict[str, Metric] = {}
    if "swap" in list_plugins("scorers"):
        with progress_bar("scoring", show=not quiet) as progress:
            metrics |= get_plugin("scorers", "swap")(
                model, train_set, test_set, seed=seed, pairs=min(SCORED, len(test_set)), progress=progress
            )
    elif not quiet:
        print_line("swaps are not scored: that needs the package seqdis-eval")
    known, held_out = (encode_dataset(model, dataset) for dataset in (train_set, test_set))
    return metrics | probe_factors(known, train_set.all_labels(), held_out, test_set.all_labels())


def _report(record: ResultRecord, files: list[Path], *, as_json: bool) -> None:
    if as_json:
        print_json(record.model_dump(mode="json") | {"files": [str(path) for path in files]})
        return

    def row(name: str, metric: Metric) -> list[str]:
        interval = "" if metric.ci95 is None else " - ".join(map(_figure, metric.ci95))
        return [
            name,
            _figure(metric.value),
            interval,
            "" if metric.chance is None else _figure(metric.chance),
        ]

    rows = [row(name, metric) for name, metric in record.metrics.items()]
    title = f"{record.name} on held-out sequences, {record.wall_seconds:.0f} s on {record.device}"
    print_table(title, ["metric", "value", "95% interval", "chance"], rows)
    print_line("written: " + ", ".join(str(path) for path in files))


def _figure(value: float) -> str:
    """Three decimals, or three digits of what those would not show."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 0.01 else f"{value:.2e}"
