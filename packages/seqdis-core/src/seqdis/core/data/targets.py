"""Targets: pseudo-labels computed from the data once, kept on disk, and cut like the frames."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from seqdis.core.cache import cache_root
from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.recordings import Recordings, View, digest
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_tensors
from seqdis.core.reading import readable
from seqdis.core.sequences import Sequences

__all__ = ["Target", "TargetTable", "WithTargets", "target_table"]

_FORMAT = 2  # to be raised when older tables must not be read any more
_ABOUT = "seqdis.target"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """A pseudo-label of every step.

    Attributes:
        summary: The target's meaning, in one line.
        compute: A function ``compute(recording, data)`` that gives ``(T, K)`` for a recording of T steps.
        version: Number to be raised whenever ``compute`` changes its values.
        inputs: A function that names the files that the target reads besides the recordings, if any.
    """

    summary: str
    compute: Callable[[Clip, DataConfig], Tensor]
    version: int = 1
    inputs: Callable[[DataConfig], Sequence[Path]] | None = None


@dataclass(frozen=True)
class TargetTable:
    """A target of all recordings of a dataset.

    Attributes:
        values: Values at all steps of all recordings, one after another, ``(ΣT, K)``, float32.
        lengths: Number of steps of each recording, ``(R,)``.
    """

    values: Tensor
    lengths: Tensor


class WithTargets(SequenceDataset):
    """Another dataset whose batches carry targets.

    Args:
        dataset: The dataset to extend; it must know the recordings of its sequences.
        tables: One table a target, by the target's name, for all recordings.
    """

    def __init__(self, dataset: SequenceDataset, tables: Mapping[str, TargetTable]) -> None:
        self.labels, self.step_labels = dataset.labels, dataset.step_labels
        self._dataset, self._tables = dataset, dict(tables)
        self._starts = {name: t.lengths.cumsum(0) - t.lengths for name, t in tables.items()}

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sequence, ``(V, *frame)``."""
        return self._dataset.shape

    @property
    def in_memory(self) -> bool:
        """Whether a sequence of the dataset is read without opening a file."""
        return self._dataset.in_memory

    @property
    def coded(self) -> bool:
        return self._dataset.coded

    def __len__(self) -> int:
        return len(self._dataset)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        """The dataset's sequences, with their targets."""
        views = _recordings(self._dataset).views(indices, epoch)
        targets = {name: torch.stack([self._of(name, view) for view in views]) for name in self._tables}
        batch = self._dataset.fetch(indices, epoch=epoch)
        return replace(batch, targets={**batch.targets, **targets})

    def _of(self, name: str, view: View) -> Tensor:
        """The target's values at the steps of a view, ``(V, K)``, 0 in padding."""
        values = self._tables[name].values[self._starts[name][view.recording] + view.steps]
        return torch.nn.functional.pad(values, (0, 0, 0, self.shape[0] - len(values)))

    def all_labels(self) -> dict[str, Tensor]:
        """The labels of the whole dataset, each ``(N,)``."""
        return self._dataset.all_labels()

    def recordings(self) -> Recordings | None:
        """The recordings of the dataset."""
        return self._dataset.recordings()


def _recordings(dataset: SequenceDataset) -> Recordings:
    recordings = dataset.recordings()
    if recordings is None:
        raise InputError(
            f"targets: {type(dataset).__name__} does not say where its sequences lie in their recordings"
        )
    return recordings


def target_table(
    dataset: SequenceDataset,
    name: str,
    target: Target,
    *,
    modality: str,
    data: DataConfig,
    progress: Callable[[int, int], None] | None = None,
) -> TargetTable:
    """Read a target from the cache, or compute it and put it there.

    The file's name holds a hash of the recordings, of ``data`` and of the target. One that is damaged
    is computed again. Processes that compute it at the same time write the same bytes, each file whole or not at all.

    Args:
        dataset: The dataset that the target is computed from.
        name: The target's name.
        target: The target to compute.
        modality: The name of the modality that offers the target.
        data: The run's data settings; a target may depend on their options.
        progress: Called with the number of recordings done and in all.

    Raises:
        InputError: The dataset does not show its recordings; a recording or a further file cannot be
            used; the target gave another number of steps than the recording has; or the cache cannot
            be written.
    """
    source = _recordings(dataset)
    files = [] if target.inputs is None else target.inputs(data)
    besides = [digest([str(path), _bytes_of(path)]) for path in files]
    named = [str(_FORMAT), modality, name, str(target.version), data.model_dump_json(), *besides]
    key = digest([*named, source.fingerprint()])
    path = cache_root() / "targets" / f"{modality}-{name}-{key[:32]}.safetensors"
    if (known := _read(path, source.count)) is not None:
        return known
    parts = []
    for index in range(source.count):
        clip = source.read(index)
        values = target.compute(clip, data)
        if values.ndim != 2 or len(values) != len(clip.frames) or not bool(torch.isfinite(values).all()):
            raise InputError(
                f"target {name!r} of {clip.key}: shape {tuple(values.shape)}; "
                f"needed are finite values of shape ({len(clip.frames)}, K)"
            )
        parts.append(values.float())
        if progress is not None:
            progress(index + 1, source.count)
    table = TargetTable(torch.cat(parts), torch.tensor([len(part) for part in parts]))
    about = {"modality": modality, "name": name, "version": target.version, "sha256": _sum(table)}
    tensors = {"values": table.values, "lengths": table.lengths}
    replace_with_tensors(path, tensors, {_ABOUT: json.dumps(about)})
    return table


def _sum(table: TargetTable) -> str:
    return digest([table.values, table.lengths])


def _bytes_of(path: Path) -> Tensor:
    try:
        return torch.frombuffer(bytearray(path.read_bytes()), dtype=torch.uint8)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def _read(path: Path, recordings: int) -> TargetTable | None:
    if not path.is_file():
        return None
    try:
        with readable(path, "a target"):
            with safe_open(str(path), framework="pt") as file:
                about = json.loads((file.metadata() or {}).get(_ABOUT, "{}"))
                table = TargetTable(file.get_tensor("values"), file.get_tensor("lengths"))
            # What was written passed all checks: it is enough that these are its bytes.
            if about.get("sha256") != _sum(table) or len(table.lengths) != recordings:
                raise InputError("its checksum or the number of its recordings is another")
    except InputError as error:
        _logger.warning("%s: is damaged (%s); it is computed again", path, error)
        return None
    return table
