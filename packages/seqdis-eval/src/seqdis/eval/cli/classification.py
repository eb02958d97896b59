"""``seqdis eval classification``: labels of a sequence from its static factor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, Seed
from seqdis.core.cli.output import progress_bar
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds
from seqdis.eval.cli.splits import splits_in

if TYPE_CHECKING:
    from torch import Tensor

    from seqdis.eval.prediction.splits import Splits

__all__ = ["classification"]


def classification(
    runs: Runs,
    label: Annotated[
        list[str] | None,
        typer.Option(
            show_default=False, help="May be repeated; the labels of the static factor when omitted."
        ),
    ] = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 3,
    seed: Seed = 0,
    out: Out = None,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Read labels from the static factor alone, beside plain models on raw features; of any labelled data."""
    from seqdis.eval.engine.seeds import mean_over_seeds
    from seqdis.eval.protocols.classification import classification_protocol
    from seqdis.eval.report.blocks import Block, Section
    from seqdis.eval.report.prediction_blocks import answers_shown

    work = Measurement.begin(
        "classification", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device,
        as_json=as_json,
    )  # fmt: skip
    found, shown = [], list[Block]()
    for number, run in enumerate(work.runs):
        splits = splits_in(run, mode, data)

        def show(name: str, predicted: Tensor, truth: Tensor, splits: Splits = splits) -> None:
            shown.extend(answers_shown(name, predicted, truth, splits.test.labels[name].classes))

        with progress_bar(f"classifying {run.folder.name}", show=not as_json) as progress:
            found.append(
                classification_protocol(
                    run.model,
                    splits,
                    label or None,
                    seeds=list(work.seeds),
                    mode=mode,
                    watch=None if number else show,  # what is looked at is that of the first run and seed
                    progress=progress,
                )
            )
    work.publish(mean_over_seeds(found), sections=[Section("Answers", shown)], label=label)
