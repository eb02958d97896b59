"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Data",
    "Device",
    "Frames",
    "Inputs",
    "Json",
    "ModelSettings",
    "RunFolder",
    "SamplerName",
    "SamplerSteps",
    "Seed",
    "Start",
]

RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", show_default=False, help="Folder of a run or a checkpoint.")
]
Inputs = Annotated[
    list[Path], typer.Argument(metavar="INPUT", show_default=False, help="Files, or folders of files.")
]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", show_default=False, help="Where the data lie; $SEQDIS_DATA/<dataset> when omitted."
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        "--device", show_default=False, help="cpu, cuda, cuda:N or mps; the fastest here when omitted."
    ),
]
ModelSettings = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="KEY=VALUE",
        show_default=False,
        help="A setting of the model that may change after training, e.g. content_frames=5; may be repeated.",
    ),
]
Frames = Annotated[
    int | None,
    typer.Option(
        min=1, show_default=False, help="Steps of an input to take together; those of training when omitted."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value for a program to read.")]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Of every random draw.")]
SamplerName = Annotated[
    str | None,
    typer.Option(
        "--sampler",
        metavar="NAME",
        show_default=False,
        help="Algorithm of the sampler (`seqdis list samplers`); the model's when omitted.",
    ),
]
SamplerSteps = Annotated[
    int | None,
    typer.Option(
        "--steps", min=2, show_default=False, help="Noise levels of the sampler; the model's when omitted."
    ),
]
Start = Annotated[int, typer.Option("--start", min=0, help="First step to take of a longer input.")]
