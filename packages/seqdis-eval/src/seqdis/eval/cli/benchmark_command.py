"""``seqdis benchmark``: several methods on one dataset, with one budget, before one judge."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, Seed
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.core.largest_sizes import LONGEST

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
    presets: Annotated[
        str | None,
        typer.Option(
            show_default=False, help="Names of presets with commas between, in the place of --methods."
        ),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option(
            show_default=False,
            metavar="KEY=VALUE,VALUE,…",
            help="A setting and the values that it takes in turn; of several, every combination.",
        ),
    ] = None,
    pairs: Annotated[
        int, typer.Option(min=1, max=LONGEST, help="Swaps that are judged, of each method.")
    ] = 200,
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
    given again, and a finished one takes further methods. An ablation is a comparison of one method with itself:
    `seqdis benchmark sprites --budget 10m --methods divid --sweep model.orthogonality=0,0.1,1`.
    """
    from seqdis.core.cache import cache_root
    from seqdis.core.config import apply_overrides
    from seqdis.core.device_choice import pick_device
    from seqdis.core.folder_lock import only_writer
    from seqdis.core.media import draw_picture
    from seqdis.core.registry import build_dataset, get_modality, list_presets
    from seqdis.core.remembered_data import data_of_run, describe_data, remember_data
    from seqdis.core.results import ResultRecord, device_name, installed_versions
    from seqdis.core.run_lock import writing_to
    from seqdis.core.run_record import read_run_record
    from seqdis.core.training import train
    from seqdis.core.training.budget import Budget
    from seqdis.core.training_record import training_record
    from seqdis.eval.cli.runs import splits_of
    from seqdis.eval.judge import judge_cache
    from seqdis.eval.protocols.comparison import (
        Contestant,
        check_same_clips,
        comparable_presets,
        comparison_grid,
        comparison_metrics,
        named_presets,
        plan_training,
    )
    from seqdis.eval.protocols.swap import Swap, swap_protocol
    from seqdis.eval.protocols.sweep import Sweep, cells_of

    started = time.perf_counter()
    limit = Budget.parse(budget)
    wanted = None if methods == "all" else [name for name in methods.split(",") if name]
    known = {name: build() for name, build in list_presets().items()}
    if presets is None:
        chosen = comparable_presets(known, dataset, wanted)
    else:
        chosen = named_presets(known, dataset, [name for name in presets.split(",") if name])
    seeded = {name: apply_overrides(config, [f"train.seed={seed}"]) for name, config in chosen.items()}
    cells = {cell.case: cell for cell in cells_of(seeded, [Sweep.parse(text) for text in sweep or []])}
    configs_of = {case: cell.config for case, cell in cells.items()}
    chosen_device, folder = pick_device(device), runs or Path("runs") / f"benchmark-{dataset}"
    target = out or folder / "benchmark.json"
    one = next(iter(configs_of.values()))
    root = data_of_run(folder, one, data)
    train_set, test_set = splits_of(one, root)
    val_set = build_dataset(one.modality, one.data, "val", root=root, seed=seed)
    for config in configs_of.values():
        if config.data.options != one.data.options:
            own = build_dataset(config.modality, config.data, "test", root=root, seed=seed)
            check_same_clips(config.preset, test_set, own)
    with only_writer(folder), writing_to(target):
        configs = plan_training(
            configs_of,
            limit,
            folder,
            train_set,
            device=str(chosen_device),
            report=lambda line: typer.echo(line, err=True),
        )
        words = ["seqdis", "benchmark", dataset, "--budget", budget]
        words += ["--methods", methods] if presets is None else ["--presets", presets]
        words += [word for text in sweep or [] for word in ("--sweep", text)]
        words += ["--pairs", str(pairs), "--seed", str(seed), *(["--data", str(data)] if data else [])]
        remembered = describe_data(one, root)
        remember_data(folder, remembered)
        contestants, trainings, spent = {}, [], 0.0
        for case, config in configs.items():
            home = folder / cells[case].folder
            if not as_json:
                print_line(f"{case}: {config.train.steps} steps of {config.preset}")
            remember_data(home, remembered)
            model = train(
                config, home, train_set=train_set, val_set=val_set, resume=True, device=str(chosen_device),
                command=shlex.join(words), show_progress=not as_json,
            )  # fmt: skip
            with progress_bar("preparing the judge") as progress:
                judge, _ = judge_cache.judge_for(
                    train_set, test_set, path=folder / "judge.safetensors", shared=cache_root() / "judges",
                    seed=seed, device=model.device, progress=progress,
                )  # fmt: skip
            with progress_bar(f"measuring {case}") as progress:
                metrics = swap_protocol(
                    model, train_set, test_set, seed=seed, pairs=pairs, judge=judge, progress=progress
                )
            trained = read_run_record(home)
            seconds = 0.0 if trained is None else trained.seconds or 0.0
            contestants[case] = Contestant(model, metrics, config.train.steps or 0, seconds)
            trainings.append(
                training_record(
                    config, home.as_posix(), steps=config.train.steps or 0, seconds=seconds, case=case
                )
            )
            spent += seconds
        modality = get_modality(one.modality)
        picture = target.with_suffix(modality.pictures[0])
        draw_picture(modality, picture, comparison_grid(contestants, test_set, seed=seed), one.data)
        table = metrics.select(role="judge") | comparison_metrics(contestants)
        record = ResultRecord(
            name=target.stem,
            method=", ".join(dict.fromkeys(config.method for config in configs.values())),
            dataset=dataset,
            modality=one.modality,
            command=shlex.join([*words, "--runs", str(folder), "--out", str(target)]),
            seed=seed,
            device=device_name(chosen_device),
            # Runs that were finished before count as well.
            wall_seconds=round(max(spent, time.perf_counter() - started), 1),
            versions=installed_versions(),
            trainings=tuple(trainings),
            noise="dynamic",
            headline=Swap().first_metrics(table),
            metrics=table,
        )
        record.save(target)
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    by_case = table.by_case()
    names = list(dict.fromkeys(name for own in by_case.values() for name in own))
    rows = [
        [name, *(f"{by_case[m][name].value:.4g}" if name in by_case[m] else "" for m in contestants)]
        for name in names
    ]
    print_table(f"{dataset}, {budget} each", ["metric", *contestants], rows)
    print_line(f"written: {target}, {picture}")
