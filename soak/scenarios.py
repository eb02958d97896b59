"""One command that writes, with what must be there before it runs and how far it has come."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

__all__ = ["SCENARIOS", "Scenario"]

_SHORT = ("train.batch_size=8", "train.log_every=2", "sampler.steps=2", "--json")
_TOY = ("train.steps=24", "train.save_every=3", "train.eval_every=8", *_SHORT)
_SERIES = (
    *("train.steps=8", "train.save_every=2", "train.eval_every=4", "train.epochs=null", "noise_repeats=1"),
    *("hidden_dim=16", "encoder.channels=8", "denoiser.channels=8", "data.length=12", *_SHORT),
)

Words = tuple[str, ...]


@dataclass(frozen=True)
class Scenario:
    """A command that writes; all paths in its words lie below its folder.

    Attributes:
        command: Name of the command, as the counts are kept.
        variant: What tells it from other scenarios of the same command.
        words: The command line, which is also the one that goes on after a kill.
        before: Command lines that make what it starts from.
        files: Function that writes the input files into the folder first.
        progress: Function that says how much is kept, which no kill may lessen.
    """

    command: str
    variant: str
    words: Words
    before: Sequence[Words] = ()
    files: Callable[[Path], None] = lambda folder: None
    progress: Callable[[Path], int] = field(default=lambda folder: 0)

    @property
    def name(self) -> str:
        """Command and variant, which name the scenario in failures."""
        return f"{self.command}/{self.variant}"


def _tables(folder: Path) -> None:
    """Small tables in which a wave runs at a level of its own."""
    for number in range(12):
        path = folder / "data" / f"{number:02d}.csv"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w", newline="", encoding="utf-8") as file:
            lines = csv.writer(file)
            lines.writerow(["a", "b"])
            lines.writerows([number, math.sin(step / 3 + number)] for step in range(30))


def _arrays(folder: Path) -> None:
    """Recordings of the toy modality, and the weights of its linear codec."""
    draw = np.random.default_rng(0)
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for number in range(24):
        np.save(folder / "data" / f"{number:02d}.npy", draw.normal(size=(9, 8)).astype(np.float32))
    (folder / "codec").mkdir(exist_ok=True)
    np.save(folder / "codec" / "weights.npy", draw.normal(size=(8, 5)).astype(np.float32))


def _newest_checkpoint(folder: Path) -> int:
    """Number of the last step that a checkpoint holds."""
    found = [int(path.name.removeprefix("step-")) for path in folder.glob("run/checkpoints/step-*")]
    return max(found, default=0)


def _shards(folder: Path) -> int:
    """Number of finished shards; those of a result that is whole are gone and count more than any."""
    finished = [path for path in folder.glob("result.*") if not path.is_dir()]
    return 10_000 if finished else len(list(folder.glob("*result*/[0-9]*.safetensors")))


_TRAIN_TOY = ("train", "toy", *_TOY, "--out", "run", "--resume")
_TRAIN_SERIES = ("train", "diffsda-series", *_SERIES, "--data", "data", "--out", "run", "--resume")
_PRIOR = ("prior", "fit", "run", "epochs=3", "--force", "--json")

SCENARIOS: tuple[Scenario, ...] = (
    Scenario("train", "generated data", _TRAIN_TOY, progress=_newest_checkpoint),
    Scenario("train", "tables", _TRAIN_SERIES, files=_tables, progress=_newest_checkpoint),
    Scenario("prior fit", "over an earlier prior", _PRIOR, before=[_TRAIN_TOY, (*_PRIOR, "--seed", "1")]),
    *(
        Scenario(
            *("encode", f"to {suffix or 'a folder'}"),
            ("encode", "run", "data", "--out", f"result{suffix}", "--batch-size", "2", "--json"),
            before=[_TRAIN_SERIES],
            files=_tables,
            progress=_shards,
        )
        for suffix in (".csv", ".parquet", ".npz", ".safetensors", "")
    ),
    Scenario(
        *("data encode", "by a linear codec"),
        (
            *("data", "encode", "data", "--preset", "toy-folder", "codec.name=linear", "--codec", "codec"),
            *("data.length=4", "--out", "result", "--json"),
        ),
        files=_arrays,
        progress=_shards,
    ),
    Scenario(
        *("eval", "swap"),
        ("eval", "swap", "run", "--pairs", "4", "--json"),
        before=[_TRAIN_TOY],
    ),
    Scenario(
        *("eval", "reconstruction over an earlier result"),
        ("eval", "reconstruction", "run", "--json"),
        before=[_TRAIN_TOY, ("eval", "reconstruction", "run", "--json", "--seed", "1")],
    ),
    Scenario(
        *("benchmark", "one method"),
        ("benchmark", "ramps", "--budget", "6", "--pairs", "4", "--runs", "run", "--json"),
    ),
)
"""Every command that writes a state which a kill could spoil."""
