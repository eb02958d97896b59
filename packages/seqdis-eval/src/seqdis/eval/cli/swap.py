"""``seqdis eval swap``: swaps before a judge, probes and leakage."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.cli.options import (
    Data,
    Device,
    Json,
    ModelSettings,
    RunFolder,
    SamplerName,
    SamplerSteps,
    Seed,
)
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.eval.cli.run import record_of, splits_of, with_training

__all__ = ["swap"]

_SHOWN = 4


def swap(
    run: RunFolder,
    out: Annotated[
        Path, typer.Option("--out", show_default=False, help="The JSON file; a picture is drawn beside it.")
    ],
    pairs: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="Swaps; one a test clip when omitted.")
    ] = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    settings: ModelSettings = None,
    seed: Seed = 0,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Swap held-out clips and let a judge, trained on real ones, say what the results show.

    Also what linear probes read from each factor, and their leakage. The judge is kept in the run's folder.
    """
    import torch

    from seqdis.core.analysis import fixed_pairs, swap_pairs
    from seqdis.core.cli.media import draw_picture
    from seqdis.core.cli.model import config_of, load_model
    from seqdis.core.registry import get_modality
    from seqdis.eval.protocols.swap import swap_protocol

    started = time.perf_counter()
    model = load_model(run, device=device, steps=steps, sampler=sampler, settings=settings)
    config = config_of(model)
    train_set, test_set = splits_of(config, data)
    with progress_bar("scoring", show=not as_json) as progress:
        metrics = swap_protocol(
            model, train_set, test_set, seed=seed, pairs=pairs, judge_path=run / "judge.safetensors",
            progress=progress,
        )  # fmt: skip
    modality = get_modality(config.modality)
    first, second = zip(*fixed_pairs(len(test_set), seed=seed, count=_SHOWN), strict=True)
    shown = swap_pairs(
        model, test_set.fetch(first).to(model.device), test_set.fetch(second).to(model.device),
        generator=torch.Generator().manual_seed(seed),
    )  # fmt: skip
    picture = out.with_suffix(modality.pictures[0])
    draw_picture(modality, picture, shown.grid(), config.data)
    words = ["seqdis", "eval", "swap", str(run), "--seed", str(seed)]
    for option, value in (("--pairs", pairs), ("--steps", steps), ("--sampler", sampler)):
        words += [] if value is None else [option, str(value)]
    words += [word for setting in settings or [] for word in ("--model", setting)]
    record = record_of(
        out, config, metrics, words=words, data=data, seed=seed, device=model.device, started=started
    )
    record = with_training(record, [run])
    record.save(out)
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    rows = [
        [name, f"{m.value:.4g}", "" if m.chance is None else f"{m.chance:.4g}"] for name, m in metrics.items()
    ]
    print_table(f"{config.method} on {config.data.dataset}", ["metric", "value", "chance"], rows)
    print_line(f"written: {out}, {picture}")
