"""``seqdis benchmark``: several methods on one dataset, with one budget, before one judge."""

from __future__ import annotations

import json
import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, Seed
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.eval.cli.run import judge_of, splits_of

__all__ = ["benchmark"]


def benchmark(
    dataset: Annotated[
        str, typer.Argument(metavar="DATASET", show_default=False, help="A labelled dataset, e.g. sprites.")
    ],
    budget: Annotated[
        str,
        typer.Option(
            show_default=False,
            help="Training of each method: a time (90s, 10m, 2h) or optimiser steps (2000).",
        ),
    ],
    methods: Annotated[str, typer.Option(help="'all', or names with commas between.")] = "all",
    pairs: Annotated[int, typer.Option(min=1, help="Swaps that are judged, of each method.")] = 200,
    runs: Annotated[
        Path | None,
        typer.Option(
            show_default=False, help="Where the runs are kept; runs/benchmark-DATASET when omitted."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", show_default=False, help="The JSON file; RUNS/benchmark.json when omitted."),
    ] = None,
    seed: Seed = 0,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Train every method that has a preset for DATASET at one size, and measure all of them alike.

    Same clips, same budget, same judge, same pairs. An interrupted comparison goes on when the command is
    given again, and a finished one takes further methods.
    """
    from seqdis.core.cli.model import pick_device
    from seqdis.core.config import apply_overrides
    from seqdis.core.media import draw_picture
    from seqdis.core.registry import build_dataset, get_modality, list_presets
    from seqdis.core.results import ResultRecord, device_name, installed_versions
    from seqdis.core.training import train
    from seqdis.core.training.budget import Budget
    from seqdis.eval.protocols.comparison import (
        Contestant,
        check_same_clips,
        comparable_presets,
        comparison_grid,
        planned,
        tabled,
    )
    from seqdis.eval.protocols.swap import swap_protocol

    started = time.perf_counter()
    limit = Budget.parse(budget)
    wanted = None if methods == "all" else [name for name in methods.split(",") if name]
    presets = {name: build() for name, build in list_presets().items()}
    found = {
        method: apply_overrides(config, [f"train.seed={seed}"])
        for method, config in comparable_presets(presets, dataset, wanted).items()
    }
    place, folder = pick_device(device), runs or Path("runs") / f"benchmark-{dataset}"
    target = out or folder / "benchmark.json"
    one = next(iter(found.values()))
    train_set, test_set = splits_of(one, data)
    val_set = build_dataset(one.modality, one.data, "val", root=data, seed=seed)
    for config in found.values():
        if config.data.options != one.data.options:
            own = build_dataset(config.modality, config.data, "test", root=data, seed=seed)
            check_same_clips(config.preset, test_set, own)
    configs = planned(
        found, limit, folder, train_set, device=str(place), report=lambda line: typer.echo(line, err=True)
    )
    words = ["seqdis", "benchmark", dataset, "--methods", methods, "--budget", budget]
    words += ["--pairs", str(pairs), "--seed", str(seed), *(["--data", str(data)] if data else [])]
    contestants, spent = {}, 0.0
    for method, config in configs.items():
        home = folder / config.preset
        if not as_json:
            print_line(f"{method}: {config.train.steps} steps of {config.preset}")
        model = train(
            config, home, train_set=train_set, val_set=val_set, resume=True, device=str(place),
            command=shlex.join(words), show_progress=not as_json,
        )  # fmt: skip
        judge, _ = judge_of(folder, model, seed, (train_set, test_set), quiet=as_json)
        with progress_bar(f"measuring {method}", show=not as_json) as progress:
            metrics = swap_protocol(
                model, train_set, test_set, seed=seed, pairs=pairs, judge=judge, progress=progress
            )
        seconds = float(json.loads((home / "run.json").read_text(encoding="utf-8"))["seconds"])
        contestants[method] = Contestant(model, metrics, config.train.steps or 0, seconds)
        spent += seconds
    modality = get_modality(one.modality)
    picture = target.with_suffix(modality.pictures[0])
    draw_picture(modality, picture, comparison_grid(contestants, test_set, seed=seed), one.data)
    judged = {n: m for n, m in metrics.items() if n.startswith("judge_")}
    table = judged | tabled(contestants)
    record = ResultRecord(
        name=target.stem,
        method=", ".join(contestants),
        dataset=dataset,
        modality=one.modality,
        command=shlex.join([*words, "--runs", str(folder), "--out", str(target)]),
        seed=seed,
        device=device_name(place),
        # Runs that were finished before count as well.
        wall_seconds=round(max(spent, time.perf_counter() - started), 1),
        versions=installed_versions(),
        metrics=table,
    )
    record.save(target)
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    names = list(dict.fromkeys(name.partition("@")[0] for name in table if "@" in name))
    rows = [
        [name, *(f"{table[f'{name}@{m}'].value:.4g}" if f"{name}@{m}" in table else "" for m in contestants)]
        for name in names
    ]
    print_table(f"{dataset}, {budget} each", ["metric", *contestants], rows)
    print_line(f"written: {target}, {picture}")
