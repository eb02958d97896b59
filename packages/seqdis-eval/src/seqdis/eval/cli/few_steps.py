"""``seqdis eval few-steps``: how few network evaluations a run's samplers get by with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.capabilities import DecodesByDiffusion
from seqdis.core.cli.options import Data, Device, Json, RunFolder, Seed
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.core.errors import InputError
from seqdis.eval.cli.run import judge_of, record_of, splits_of

__all__ = ["few_steps"]


def few_steps(
    run: RunFolder,
    out: Annotated[
        Path, typer.Option("--out", show_default=False, help="The JSON file: results/nfe-NAME.json.")
    ],
    pairs: Annotated[int, typer.Option(min=1, help="Clips that are reconstructed and swapped.")] = 32,
    nfe: Annotated[
        list[int] | None,
        typer.Option(
            "--nfe", min=3, show_default=False, help="A budget; may be repeated; 4 to 63 when omitted."
        ),
    ] = None,
    with_judge: Annotated[bool, typer.Option("--judge/--no-judge", help="Judge swaps as well.")] = True,
    data: Data = None,
    seed: Seed = 0,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Reconstruct and swap by every sampler at budgets of 4 to 63 evaluations.

    Says which come within 2% of Heun's method at 63. The judge is trained once and kept in RUN.
    """
    from seqdis.core.cli.model import load_model
    from seqdis.core.pretrained import config_of
    from seqdis.eval.protocols.few_steps import NFE, REFERENCE, within_two_percent
    from seqdis.eval.protocols.few_steps import few_steps as measure

    started = time.perf_counter()
    budgets = nfe or [*NFE]
    model = load_model(run, device=device)
    config = config_of(model)
    if not isinstance(model, DecodesByDiffusion):
        raise InputError(f"{run}: method {config.method!r} decodes without a sampler")
    train_set, test_set = splits_of(config, data)
    judge, metrics = None, {}
    if test_set.labels and with_judge:
        judge, accuracy = judge_of(run, model, config.train.seed, (train_set, test_set), quiet=as_json)
        metrics["judge_accuracy"] = accuracy.metric()
    with progress_bar("sampling", show=not as_json) as progress:
        metrics |= measure(
            model, train_set, test_set, judge, pairs=pairs, budgets=budgets, seed=seed, progress=progress
        )
    words = ["seqdis", "eval", "few-steps", str(run), "--pairs", str(pairs), "--seed", str(seed)]
    words += [word for budget in nfe or [] for word in ("--nfe", str(budget))]
    words += [] if with_judge else ["--no-judge"]
    record = record_of(
        out, config, metrics, words=words, data=data, seed=seed, device=model.device, started=started
    )
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    measured = list(dict.fromkeys(name.partition("@")[0] for name in metrics if "@" in name))
    names = list(dict.fromkeys(name.partition("@")[2] for name in metrics if "@" in name))
    rows = [[name, *(_figure(metrics.get(f"{m}@{name}")) for m in measured)] for name in names]
    print_table("quality by sampler and network evaluations", ["sampler, NFE", *measured], rows)
    for m in measured:
        if f"{m}@{REFERENCE}" in metrics:
            print_line(f"{m} within 2% of {REFERENCE}: {', '.join(within_two_percent(metrics, m))}")
    print_line(f"written: {out}")


def _figure(metric: object) -> str:
    value = getattr(metric, "value", None)
    return "" if value is None else f"{value:.4g}"
