"""``seqdis eval classification``: labels of a sequence from its static factor."""

from __future__ import annotations

from typing import Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, Seed
from seqdis.core.cli.output import progress_bar
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds
from seqdis.eval.cli.splits import splits_in

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
    from seqdis.eval.protocols.classification import classification_protocol
    from seqdis.eval.protocols.seeds import mean_over_seeds

    work = Measurement.begin(
        "classification", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device,
        as_json=as_json,
    )  # fmt: skip
    found = []
    for run in work.runs:
        with progress_bar(f"classifying {run.folder.name}", show=not as_json) as progress:
            found.append(
                classification_protocol(
                    run.model,
                    splits_in(run, mode, data),
                    label or None,
                    seeds=list(work.seeds),
                    mode=mode,
                    progress=progress,
                )
            )
    work.publish(mean_over_seeds(found), label=label)
