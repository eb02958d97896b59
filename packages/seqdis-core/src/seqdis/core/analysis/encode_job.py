"""Factors of media files, a shard at a time, so that a set may be larger than memory and the work may be stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

from seqdis.core.analysis.encode import evaluating, named_labels, row_sources
from seqdis.core.analysis.factor_shards import join_factors
from seqdis.core.analysis.file_windows import FileWindows, WindowBatch
from seqdis.core.capabilities import adjust
from seqdis.core.devices import pick_device
from seqdis.core.disentangler import Disentangler
from seqdis.core.executors import ShardJob, ShardPlan, ShardWorker
from seqdis.core.factors import Factors
from seqdis.core.overrides import read_overrides
from seqdis.core.pretrained import read_run_config
from seqdis.core.registry import get_modality

__all__ = ["EncodeJob", "plan_encoding", "split_files"]

MOST_SHARDS_OF_FEW_FILES, MOST_FILES_A_SHARD = 64, 256


@dataclass(frozen=True)
class EncodeJob(ShardJob):
    """Encoding of files by a trained model.

    Attributes:
        model: Absolute path of the folder that holds ``config.json`` and ``model.safetensors``.
        settings: Settings of the model that may change after training, each ``key=value``.
        root: Folder below which the keys name the files.
        length: Steps of a window; those of the training sequences when None.
        stride: Steps from one window of a file to the next; no overlap when None.
        batch_size: Sequences a pass.
    """

    model: Path
    root: Path
    settings: tuple[str, ...] = ()
    length: int | None = None
    stride: int | None = None
    batch_size: int = 64

    name: ClassVar[str] = "encode"

    def open(self) -> EncodeWorker:
        model = Disentangler.from_pretrained(self.model, device=pick_device(self.device))
        adjust(model, read_overrides(self.settings))
        return EncodeWorker(model)

    def read(self, shard: int) -> Iterator[WindowBatch]:
        config = read_run_config(self.model / "config.json")
        windows = FileWindows(
            get_modality(config.modality),
            config.data,
            self.root,
            length=self.length,
            stride=self.stride,
            batch_size=self.batch_size,
        )
        return windows.batches([Path(path) for path in self.inputs(shard)])


class EncodeWorker(ShardWorker):
    """A model that encodes the windows of a shard.

    Args:
        model: The model, on its device.
    """

    def __init__(self, model: Disentangler) -> None:
        self._model = model

    def compute(self, shard: int, batch: WindowBatch) -> Factors:
        rows = range(batch.first, batch.first + len(batch.sequences))
        with evaluating(self._model):
            factors = self._model.encode(batch.sequences, generator=row_sources(shard, rows)).to("cpu")
        return named_labels(factors, batch.labels)

    def write(self, shard: int, results: Sequence[Factors], path: Path) -> None:
        join_factors(results).save(path)


def plan_encoding(job: EncodeJob, paths: Sequence[Path]) -> ShardPlan:
    """Decide which files belong to which shard, and hash what the factors depend on.

    Args:
        job: The job.
        paths: Absolute paths of the files, in the order of the result.
    """
    shards = [[str(path) for path in part] for part in split_files(paths)]
    settings = [job.settings, job.length, job.stride, job.batch_size, str(job.root)]
    files = [_sha256(job.model / name) for name in ("config.json", "model.safetensors")]
    fingerprint = {
        "model": _digest(files),
        "settings": _digest(settings),
        "inputs": _digest([[path, _state(Path(path))] for part in shards for path in part]),
        "device": job.device.partition(":")[0],
        "version": version("seqdis-core"),
    }
    return ShardPlan(shards, fingerprint)


def split_files(paths: Sequence[Path]) -> list[Sequence[Path]]:
    """Split the files into shards, the same for any number of processes: up to 64 of them, then 256 files each.

    Sums inside a matrix product may depend on the batch, so what shares a shard must not change.
    """
    size = min(MOST_FILES_A_SHARD, -(-len(paths) // MOST_SHARDS_OF_FEW_FILES))
    return [paths[i : i + size] for i in range(0, len(paths), size)]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _state(path: Path) -> Any:
    """Size and time of last change of a file, or of every file of a folder of frames."""
    if path.is_dir():
        return [[entry.name, *_state(entry)] for entry in sorted(path.iterdir()) if entry.is_file()]
    status = path.stat()
    return [status.st_size, status.st_mtime_ns]
