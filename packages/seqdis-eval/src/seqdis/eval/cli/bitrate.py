"""``seqdis eval bitrate``: what the codes of held-out sequences cost, and what they are worth."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.core.errors import InputError
from seqdis.eval.cli.run import judge_of, record_of, splits_of, with_training

__all__ = ["bitrate"]


def bitrate(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", show_default=False, help="Folders of runs on the same data."),
    ],
    out: Annotated[Path, typer.Option("--out", show_default=False, help="The JSON file.")],
    pairs: Annotated[
        int, typer.Option(min=0, help="Swaps that a judge is shown; the rate alone when 0.")
    ] = 0,
    picture: Annotated[
        Path | None,
        typer.Option("--picture", show_default=False, help="Also draw accuracy over rate here, as a png."),
    ] = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    settings: ModelSettings = None,
    seed: Seed = 0,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Bits a frame of held-out codes by the range coder, dead codes; of several runs, accuracy over rate.

    The judge, which real clips have trained, is kept in the first run's folder.
    """
    from seqdis.core.cli.model import load_model
    from seqdis.core.pretrained import config_of
    from seqdis.eval.protocols.bitrate import bitrate_protocol
    from seqdis.eval.protocols.scoring import score_swaps

    started = time.perf_counter()
    if picture is not None and not pairs:
        raise InputError("--picture: a curve needs swaps; give --pairs, too")
    if picture is not None and len(runs) < 2:
        raise InputError("--picture: a curve needs runs at several rates; got 1")
    names = [run.name for run in runs]
    if len(set(names)) < len(names):
        raise InputError(f"runs are told apart by their folders' names; got {', '.join(names)}")
    models = [load_model(run, device=device, steps=steps, sampler=sampler, settings=settings) for run in runs]
    config = config_of(models[0])
    for run, model in zip(runs, models, strict=True):
        if config_of(model).data != config.data:
            raise InputError(f"{run}: was trained on other data than {runs[0]}")
    splits = splits_of(config, data)
    judge, metrics = None, {}
    if pairs:
        judge, accuracy = judge_of(runs[0], models[0], config.train.seed, splits, quiet=as_json)
        metrics["judge_accuracy"] = accuracy.metric()
    for name, model in zip(names, models, strict=True):
        with progress_bar(f"encoding {name}", show=not as_json) as progress:
            found = bitrate_protocol(model, *splits, progress=progress)
        if judge is not None:
            with progress_bar(f"swapping {name}", show=not as_json) as progress:
                scores = score_swaps(
                    model, *splits, seed=seed, pairs=pairs, judge=judge, progress=progress
                )  # fmt: skip
            found |= {key: value for key, value in scores.items() if not key.startswith("judge_")}
        metrics |= {f"{key}@{name}" if len(runs) > 1 else key: value for key, value in found.items()}
    if picture is not None:
        from seqdis.eval.report.rate_curve import draw_rate_curve

        draw_rate_curve(picture, metrics)
    words = ["seqdis", "eval", "bitrate", *map(str, runs), "--pairs", str(pairs), "--seed", str(seed)]
    for option, value in (("--steps", steps), ("--sampler", sampler), ("--picture", picture)):
        words += [] if value is None else [option, str(value)]
    words += [word for setting in settings or [] for word in ("--model", setting)]
    record = record_of(
        out, config, metrics, words=words, data=data, seed=seed, device=models[0].device, started=started
    )
    record = with_training(record, runs)
    record.save(out)
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    shown = list(dict.fromkeys(name.partition("@")[0] for name in metrics))
    rows = [
        [key, *(_figure(metrics.get(key) or metrics.get(f"{key}@{name}")) for name in names)] for key in shown
    ]
    print_table("codes of held-out sequences", ["metric", *names], rows)
    print_line(f"written: {', '.join(map(str, filter(None, [out, picture])))}")


def _figure(metric: object) -> str:
    value = getattr(metric, "value", None)
    return "" if value is None else f"{value:.4g}"
