"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seqdis.core.largest_sizes import DEEPEST, LARGEST_SEED, LONGEST, LONGEST_CLIP
from seqdis.core.named_models import find_run

__all__ = [
    "BatchSize",
    "Data",
    "Device",
    "ExecutorName",
    "ExecutorSettings",
    "Frames",
    "InitFrom",
    "Inputs",
    "Json",
    "ModelSettings",
    "Overrides",
    "Resume",
    "RunFolder",
    "SamplerName",
    "SamplerSteps",
    "Seed",
    "SkipBad",
    "Start",
    "Workers",
    "argument",
    "optional",
    "run_folders",
]


def argument(metavar: str, text: str, **settings: Any) -> Any:
    """An argument under the name that ``--help`` shows it by."""
    return typer.Argument(metavar=metavar, show_default=False, help=text, **settings)


def optional(text: str, *names: str, **settings: Any) -> Any:
    """An option whose help text itself says what happens when it is omitted."""
    return typer.Option(*names, show_default=False, help=text, **settings)


def _run_folder(run: Path) -> Path:
    return find_run(run)


def run_folders(runs: list[Path]) -> list[Path]:
    """The folders of runs, or of models that are known by name; see :func:`~seqdis.core.named_models.find_run`."""
    return [find_run(run) for run in runs]


_CHANGES = "Changes to the preset, e.g. train.steps=1000."
_DATA = "Folder of the dataset; the one that the run was trained on, or $SEQDIS_DATA/DATASET, when omitted."
_RESUME = (
    "Go on from the newest checkpoint in --out; train.steps, lr and other settings of `train` may be new."
)
_INIT_FROM = "Start a new run from the weights of this run or checkpoint, and with its normaliser."
_DEVICE = "cpu, cuda, cuda:N or mps; the fastest here when omitted."
_SETTING = "A setting of the model that may change after training, e.g. content_frames=5; may be repeated."
_FRAMES = "Steps of an input to take together; as many as in training when omitted."
_EXECUTOR = "Where the work is done: local, ray, slurm, or another (`seqdis list executors`)."
_EXECUTOR_SETTING = "A setting of the executor, e.g. processes=4 or partition=gpu; may be repeated."
_WORKERS = "Processes that read files ahead, for each that computes."
_BAD = "Leave out files that cannot be used, and list them."
_STEPS = "Noise levels of the sampler; the model's when omitted."

RunFolder = Annotated[
    Path, argument("RUN", "Folder of a run or a checkpoint, or the name of a model.", callback=_run_folder)
]
Inputs = Annotated[list[Path], argument("INPUT", "Files, or folders of files.")]
Data = Annotated[Path | None, optional(_DATA, "--data")]
Device = Annotated[str | None, optional(_DEVICE, "--device")]
ModelSettings = Annotated[list[str] | None, optional(_SETTING, "--model", metavar="KEY=VALUE")]
Overrides = Annotated[list[str] | None, argument("KEY=VALUE", _CHANGES)]
Resume = Annotated[bool, typer.Option("--resume", help=_RESUME)]
InitFrom = Annotated[Path | None, optional(_INIT_FROM, "--init-from", metavar="RUN")]
Frames = Annotated[int | None, optional(_FRAMES, "--frames", min=1, max=LONGEST_CLIP)]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON value for a program to read.")]
Seed = Annotated[int, typer.Option("--seed", min=0, max=LARGEST_SEED, help="Seed of every random draw.")]
SamplerName = Annotated[
    str | None,
    optional(
        "Algorithm of the sampler (`seqdis list samplers`); the model's when omitted.",
        "--sampler",
        metavar="NAME",
    ),
]
SamplerSteps = Annotated[int | None, optional(_STEPS, "--steps", min=2, max=1_000_000)]
SkipBad = Annotated[bool, typer.Option("--skip-bad", help=_BAD)]
Start = Annotated[
    int, typer.Option("--start", min=0, max=LONGEST, help="First step to take of a longer input.")
]
BatchSize = Annotated[int, typer.Option("--batch-size", min=1, max=LONGEST, help="Sequences a pass.")]
Workers = Annotated[int, typer.Option("--workers", min=0, max=DEEPEST, help=_WORKERS)]
ExecutorName = Annotated[str, typer.Option("--executor", metavar="NAME", help=_EXECUTOR)]
ExecutorSettings = Annotated[
    list[str] | None, optional(_EXECUTOR_SETTING, "--executor-option", metavar="KEY=VALUE")
]
