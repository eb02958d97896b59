"""Factors of media files, a shard at a time, so that a set may be larger than memory and the work may be stopped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from seqdis.core.analysis.encode import evaluating, row_sources
from seqdis.core.analysis.factor_shards import join_factors
from seqdis.core.analysis.file_windows import FileWindows, WindowBatch
from seqdis.core.capabilities import adjust
from seqdis.core.data.discovery import LeftOut
from seqdis.core.data.file_states import digest_of_files, digest_of_json, sha256_of
from seqdis.core.device_choice import pick_device
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.executors import ShardJob, ShardPlan, ShardWorker
from seqdis.core.factor_file import FactorFile, write_factor_file
from seqdis.core.factors import Factors
from seqdis.core.finite import NotFiniteError
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
        length: Steps of a window.
        min_length: Steps of a recording below which it is left out.
        stride: Steps from one window of a recording to the next; no overlap when None.
        tail: Whether the steps behind a recording's last whole window are a window as well, padded.
        batch_size: Sequences a pass.
        skip_bad: Whether files that cannot be used are left out.
        files: Number of files in all.
    """

    model: Path
    root: Path
    settings: tuple[str, ...] = ()
    length: int = 1
    min_length: int = 1
    stride: int | None = None
    tail: bool = False
    batch_size: int = 64
    skip_bad: bool = False
    files: int = 1

    name: ClassVar[str] = "encode"

    def open(self) -> EncodeWorker:
        model = Disentangler.from_pretrained(self.model, device=pick_device(self.device))
        adjust(model, read_overrides(self.settings))
        return EncodeWorker(model, skip_bad=self.skip_bad, root=self.root)

    def read(self, shard: int) -> Iterator[WindowBatch]:
        config = read_run_config(self.model / "config.json")
        asked = {"length": self.length, "min_length": self.min_length, "skip_bad": self.skip_bad}
        windows = FileWindows(
            get_modality(config.modality),
            config.data.model_copy(update=asked),
            self.root,
            stride=self.stride,
            tail=self.tail,
            batch_size=self.batch_size,
        )
        try:
            yield from windows.batches([Path(path) for path in self.inputs(shard)])
        except InputError as error:
            if self.files == 1:
                raise
            raise InputError(f"{error}; --skip-bad leaves out what cannot be used") from error


@dataclass(frozen=True)
class EncodedBatch:
    """The factors of a batch of windows, if there are any, and what was left out before it."""

    factors: Factors | None
    left_out: tuple[LeftOut, ...]


class EncodeWorker(ShardWorker):
    """A model that encodes the windows of a shard.

    Args:
        model: The model, on its device.
        skip_bad: Leave out a window of which the model makes NaN or Inf.
        root: Folder below which the keys name the files.
    """

    def __init__(self, model: Disentangler, *, skip_bad: bool = False, root: Path = Path()) -> None:
        self._model, self._skip_bad, self._root = model, skip_bad, root

    def compute(self, shard: int, batch: WindowBatch) -> EncodedBatch:
        left_out = list(batch.left_out)
        rows = [] if batch.sequences is None else list(range(len(batch.sequences)))
        while batch.sequences is not None and rows:
            sources = row_sources(shard, [batch.first + row for row in rows])
            try:
                with evaluating(self._model):
                    factors = self._model.encode(batch.sequences[rows], generator=sources).to("cpu")
            except NotFiniteError as error:
                if not self._skip_bad:
                    raise
                path = self._root / batch.sequences.keys[rows.pop(error.row)]
                left_out.append(LeftOut(path, "damaged", str(error)))
                continue
            labels = {name: value[rows] for name, value in batch.labels.items()}
            return EncodedBatch(replace(factors, labels=labels), tuple(left_out))
        return EncodedBatch(None, tuple(left_out))

    def write(self, shard: int, results: Sequence[EncodedBatch], path: Path) -> None:
        factors = [result.factors for result in results if result.factors is not None]
        content = join_factors(factors).content() if factors else FactorFile({})
        left_out = [
            (str(left.path), left.reason, left.detail) for result in results for left in result.left_out
        ]
        write_factor_file(path, content, left_out=left_out)


def plan_encoding(job: EncodeJob, paths: Sequence[Path]) -> ShardPlan:
    """Decide which files belong to which shard, and hash what the factors depend on.

    Args:
        job: The encoding that is planned.
        paths: Absolute paths of the files, in the order of the result.
    """
    shards = [[str(path) for path in part] for part in split_files(paths)]
    settings = [job.settings, job.length, job.min_length, job.stride, job.tail, job.batch_size, str(job.root)]
    files = [sha256_of(job.model / name) for name in ("config.json", "model.safetensors")]
    fingerprint = {
        "model": digest_of_json(files),
        "settings": digest_of_json(settings),
        "inputs": digest_of_files(paths),
        "device": job.device.partition(":")[0],
        "version": version("seqdis-core"),
    }
    return ShardPlan(shards, fingerprint)


def split_files(paths: Sequence[Path], *, most: int = MOST_FILES_A_SHARD) -> list[Sequence[Path]]:
    """Split the files into shards, the same for any number of processes: up to 64 of them, then ``most`` files each.

    Sums inside a matrix product may depend on the batch, so what shares a shard must not change.
    """
    size = min(most, -(-len(paths) // MOST_SHARDS_OF_FEW_FILES))
    return [paths[i : i + size] for i in range(0, len(paths), size)]
