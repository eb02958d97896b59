"""``seqdis eval prediction``: an outcome, or a number for each window, from both factors."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, Seed
from seqdis.core.cli.output import progress_bar
from seqdis.core.errors import InputError, unknown_name
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds
from seqdis.eval.cli.splits import data_of, splits_in

if TYPE_CHECKING:
    from torch import Tensor

    from seqdis.core.data.prediction_tasks import Outcome, Quantity
    from seqdis.core.modality import DatasetSpec
    from seqdis.core.progress import Progress
    from seqdis.core.results import Metric
    from seqdis.eval.cli.protocol import OpenRun
    from seqdis.eval.engine.mode import Mode
    from seqdis.eval.report.blocks import Block

__all__ = ["prediction"]


def prediction(
    runs: Runs,
    target: Annotated[
        str | None,
        typer.Option(
            show_default=False, help="What to predict; the only one that the dataset offers when omitted."
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(min=1, show_default=False, help="Steps that an outcome's head reads at a time."),
    ] = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 3,
    seed: Seed = 0,
    out: Out = None,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Predict what a dataset offers from static and dynamic factors, beside plain models on raw features.

    AUPRC and AUROC of an outcome (any label of two classes), MAE of a number.
    """
    from seqdis.eval.engine.seeds import mean_over_seeds
    from seqdis.eval.report.blocks import Block, Section

    work = Measurement.begin(
        "prediction", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device,
        as_json=as_json,
    )  # fmt: skip
    found, shown = [], list[Block]()
    for number, run in enumerate(work.runs):
        # What is looked at is that of the first run and seed.
        looked_at = None if number else shown
        with progress_bar(f"predicting from {run.folder.name}", show=not as_json) as progress:
            found.append(_measure(run, target, window, mode, list(work.seeds), data, looked_at, progress))
    sections = [Section("Predictions", shown, "Of the test split, by the first run and seed.")]
    work.publish(mean_over_seeds(found), sections=sections, target=target, window=window)


def _measure(
    run: OpenRun,
    target: str | None,
    window: int | None,
    mode: Mode,
    seeds: list[int],
    data: Path | None,
    shown: list[Block] | None,
    progress: Progress,
) -> dict[str, Metric]:
    from seqdis.core.data.prediction_tasks import Quantity
    from seqdis.core.registry import data_root, get_dataset
    from seqdis.eval.prediction.outcome import outcome_protocol
    from seqdis.eval.prediction.quantity import WindowValues, quantity_protocol
    from seqdis.eval.report.prediction_blocks import numbers_shown, outcome_shown

    config = run.config
    spec = None if config.data.dataset == "folder" else get_dataset(config.modality, config.data.dataset)
    name, chosen = _chosen(run, spec, target, window)
    splits = splits_in(run, mode, data)
    if not isinstance(chosen, Quantity):

        def curve(scores: Mapping[str, Tensor], truth: Tensor) -> None:
            if shown is not None:
                shown.extend(outcome_shown({_whose(k): v for k, v in scores.items()}, truth))

        return outcome_protocol(
            run.model,
            splits,
            name,
            window=chosen.window,
            seeds=seeds,
            mode=mode,
            watch=curve,
            progress=progress,
        )
    if window not in (None, chosen.window):
        raise InputError(f"--window {window}: {name!r} has one number each {chosen.window} steps")
    wanted, root = data_of(run, mode), None if spec is None else data_root(spec, data)
    values = WindowValues(
        *(chosen.values(wanted, split, root, config.train.seed) for split in ("train", "val", "test"))
    )

    def series(predicted: Mapping[str, Tensor], truth: Tensor, sequence: Tensor) -> None:
        if shown is not None:
            named = {_whose(k.removeprefix("mae")): v for k, v in predicted.items()}
            unit = f"{name.replace('_', ' ')}, {chosen.unit}"
            shown.extend(numbers_shown(named, truth, sequence, unit=unit))

    return quantity_protocol(
        run.model,
        splits,
        values,
        window=chosen.window,
        seeds=seeds,
        mode=mode,
        watch=series,
        progress=progress,
    )


def _whose(suffix: str) -> str:
    """``_random_forest`` to ``random forest on raw``; nothing is the head."""
    words = suffix.strip("_").replace("_", " ") or "head on factors"
    return words if "factors" in words else f"{words} on raw"


def _chosen(
    run: OpenRun, spec: DatasetSpec | None, target: str | None, window: int | None
) -> tuple[str, Outcome | Quantity]:
    from seqdis.core.data.prediction_tasks import Outcome

    offered: dict[str, Outcome | Quantity] = {}
    if spec is not None:
        offered |= spec.quantities
        offered |= {k: Outcome(window or v.window) for k, v in spec.outcomes.items()}
    # Any label of two classes will do where it is named.
    binary = {k: Outcome(window or 1) for k, v in run.test_set.labels.items() if len(v.classes) == 2}
    if target is None:
        if len(offered) == 1:
            return next(iter(offered.items()))
        known = ", ".join(sorted(offered | binary)) or "none, for they have no label of two classes either"
        raise InputError(f"--target: the data offer {len(offered)} targets of their own; allowed: {known}")
    if target not in (offered | binary):
        raise unknown_name("target of these data", target, offered | binary)
    return target, (binary | offered)[target]
