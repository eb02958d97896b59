"""Factors of media files, a shard at a time, so that a set may be larger than memory and the work may be stopped."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from seqdis.core.analysis.encode_job import EncodeJob, plan_encoding
from seqdis.core.analysis.factor_shards import FactorShards
from seqdis.core.analysis.joined_tables import check_table_libraries, table_paths, write_tables
from seqdis.core.analysis.joined_tensors import write_npz, write_safetensors
from seqdis.core.capabilities import NeedsWholeSequences, adjust
from seqdis.core.data.discovery import LeftOut, Reason, describe_left_out
from seqdis.core.data.inputs import expand
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.executors import Executor, ShardFolder, get_executor, run_shards
from seqdis.core.factor_file import FactorDescription, read_description
from seqdis.core.folder_lock import only_writer
from seqdis.core.leftovers import remove_leftovers
from seqdis.core.named_models import find_run
from seqdis.core.overrides import read_overrides
from seqdis.core.pretrained import config_of, find_model_folder
from seqdis.core.processes import Processes
from seqdis.core.progress import Progress
from seqdis.core.registry import get_modality
from seqdis.core.run_lock import writing_to

__all__ = ["EncodedFiles", "encode_files"]

_logger = logging.getLogger(__name__)


def _single(write: Callable[[FactorShards, Path], None]) -> Callable[[FactorShards, Path], tuple[Path, ...]]:
    def write_one(shards: FactorShards, path: Path) -> tuple[Path, ...]:
        write(shards, path)
        return (path,)

    return write_one


_WRITERS: dict[str, Callable[[FactorShards, Path], tuple[Path, ...]]] = {
    ".safetensors": _single(write_safetensors),
    ".npz": _single(write_npz),
    ".csv": write_tables,
    ".parquet": write_tables,
}


@dataclass(frozen=True)
class EncodedFiles:
    """The result of an encoding: the files that were written, and the shapes in them.

    Attributes:
        files: The files that were written, or the folder of shards.
        sequences: Number of sequences.
        static_shape: Shape of a static factor.
        dynamic_shape: Shape of a sequence's dynamic factors, ``(V, *D)``.
        processes: Number of processes of this launch that shared the work.
    """

    files: tuple[Path, ...]
    sequences: int
    static_shape: tuple[int, ...]
    dynamic_shape: tuple[int, ...]
    processes: int


def encode_files(
    run: Path,
    inputs: Sequence[Path],
    out: Path,
    *,
    length: int | None = None,
    stride: int | None = None,
    tail: bool | None = None,
    skip_bad: bool = False,
    batch_size: int = 64,
    settings: Sequence[str] = (),
    device: str | None = None,
    executor: Executor | None = None,
    workers: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> EncodedFiles | None:
    """Encode files by a trained model; the result does not depend on who does which part of the work, to the last bit.

    The files are split into shards, each of which is a file that is finished or absent: beside ``out`` until they are
    joined into one, or in the folder ``out`` itself. After the work was stopped, the same call goes on with what is
    missing. A key is the file's path below the folder that all inputs lie in, with ``@START`` where a file gives
    several windows.

    Args:
        run: Folder of a run or of a checkpoint.
        inputs: Files, or folders of files.
        out: The result, ``.safetensors`` or ``.npz``; ``.csv`` or ``.parquet`` for two tables; or a folder of shards.
        length: Steps of a window; those of the training sequences when omitted.
        stride: Steps from one window of a file to the next; no overlap when omitted.
        tail: Whether the steps behind a recording's last whole window are a window as well, padded and masked; when
            omitted, they are unless the method takes whole windows alone.
        skip_bad: Whether files that cannot be used are left out and listed.
        batch_size: Sequences a pass.
        settings: Settings of the model that may change after training, each ``key=value``.
        device: Device to compute on; the fastest when omitted.
        executor: The engine that computes the shards; processes of this machine when omitted.
        workers: Number of processes that read files ahead, for each that computes.
        force: Start over where the shards that are there belong to another model or to other inputs.
        progress: Called with the number of shards that this call has finished, and that of all that were missing.

    Returns:
        The files that were written; None in all but the first of several processes that ``accelerate launch`` started.

    Raises:
        InputError: The run, a setting, the device or a file cannot be used, ``out`` has another suffix, or the shards
            that are there were made from something else.
    """
    write = _check_output(out)
    executor = executor or get_executor("local")
    on = executor.device(device)
    source = find_model_folder(find_run(run)).absolute()
    model = Disentangler.from_pretrained(source)
    adjust(model, read_overrides(settings))
    config = config_of(model)
    window = length or config.data.length
    whole = isinstance(model, NeedsWholeSequences) and "mask" in model.refuses
    if tail and whole:
        raise InputError(f"--tail: {config.method} takes whole windows; allowed: without it")
    paths, root = expand(get_modality(config.modality), inputs)
    job = EncodeJob(
        folder=(out if write is None else out.parent / f".{out.name}.shards").absolute(),
        device=on,
        model=source,
        root=root.absolute(),
        settings=tuple(settings),
        length=window,
        min_length=max(window, config.data.min_length) if whole else config.data.min_length,
        stride=stride,
        tail=not whole if tail is None else tail,
        batch_size=batch_size,
        skip_bad=skip_bad,
        files=len(paths),
    )
    folder = ShardFolder(job, plan_encoding(job, [path.absolute() for path in paths]))
    with (
        Processes(cpu=not on.startswith("cuda")) as processes,
        processes.in_first(writing_to(out)),
        processes.in_first(only_writer(folder.path, temporary=write is not None, helped=True)),
    ):
        run_shards(folder, executor, processes=processes, workers=workers, force=force, progress=progress)
        if not processes.is_first:
            return None
        contents = _contents(folder)
        for line in describe_left_out(contents.left_out):
            _logger.warning("left out: %s", line)
        folder.finish(contents.index)
        files: tuple[Path, ...] = (out,)
        if write is not None:
            made = table_paths(out) if write is write_tables else (out,)
            remove_leftovers(out.parent, targets=[path.name for path in made], held=True)
            files = write(contents.shards, out)
            folder.clear()
        return EncodedFiles(
            files=files,
            sequences=len(contents.shards),
            static_shape=tuple(contents.index["static_shape"]),
            dynamic_shape=tuple(contents.index["dynamic_shape"]),
            processes=processes.count,
        )


def _check_output(out: Path) -> Callable[[FactorShards, Path], tuple[Path, ...]] | None:
    """The function that writes a result of this suffix; None for a folder."""
    if out.is_dir() or not out.suffix:
        return None
    write = _WRITERS.get(out.suffix.lower())
    if write is None:
        raise InputError(
            f"{out}: factors cannot be written as {out.suffix!r}; allowed: {', '.join(_WRITERS)}, or a folder"
        )
    if write is write_tables:
        check_table_libraries(out)
    return write


@dataclass(frozen=True)
class _Contents:
    """All shards that hold factors, what was left out of them, and what the index says."""

    shards: FactorShards
    left_out: list[LeftOut]
    index: dict[str, Any]


def _contents(folder: ShardFolder) -> _Contents:
    every = [folder.job.path(number) for number in range(len(folder.plan.inputs))]
    described = {path: read_description(path) for path in every}
    left_out = [
        LeftOut(Path(path), cast(Reason, reason), detail)
        for one in described.values()
        for path, reason, detail in one.left_out
    ]
    described = {path: one for path, one in described.items() if one.keys}
    if not described:
        raise InputError(f"no recording is left: {'; '.join(describe_left_out(left_out))}")
    shards = FactorShards(tuple(described), FactorDescription.join(list(described.values())))
    first = next(iter(shards))
    index = {
        "sequences": len(shards),
        "static_shape": [*first.static.shape[1:]],
        "dynamic_shape": [*first.dynamic.shape[1:]],
        "contents": [
            {"file": path.name, "sequences": len(one.keys), "first": one.keys[0], "last": one.keys[-1]}
            for path, one in described.items()
        ],
        "left_out": [
            {"path": str(left.path), "reason": left.reason, "detail": left.detail} for left in left_out
        ],
    }
    return _Contents(shards, left_out, index)
