"""Factors of media files, a shard at a time, so that a set may be larger than memory and the work may be stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdis.core.analysis.encode_job import EncodeJob, plan_encoding
from seqdis.core.analysis.factor_shards import FactorShards
from seqdis.core.analysis.joined_tables import check_table_libraries, write_tables
from seqdis.core.analysis.joined_tensors import write_npz, write_safetensors
from seqdis.core.capabilities import adjust
from seqdis.core.data.inputs import expand
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.executors import Executor, ShardFolder, get_executor, run_shards
from seqdis.core.factor_file import FactorDescription, read_description
from seqdis.core.overrides import read_overrides
from seqdis.core.pretrained import config_of, find_model_folder
from seqdis.core.processes import Processes
from seqdis.core.progress import Progress
from seqdis.core.registry import get_modality

__all__ = ["EncodedFiles", "encode_files"]


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
    """What was encoded, and where it lies.

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
        batch_size: Sequences a pass.
        settings: Settings of the model that may change after training, each ``key=value``.
        device: Device to compute on; the fastest when omitted.
        executor: Where shards are computed; in processes of this machine when omitted.
        workers: Number of processes that read files ahead, for each that computes.
        force: Start over where the shards that are there belong to another model or to other inputs.
        progress: Called with the number of shards that this call has finished, and that of all that were missing.

    Returns:
        What was written; None in all but the first of several processes that ``accelerate launch`` started.

    Raises:
        InputError: The run, a setting, the device or a file cannot be used, ``out`` has another suffix, or the shards
            that are there were made from something else.
    """
    write = _check_output(out)
    executor = executor or get_executor("local")
    on = executor.device(device)
    if not run.is_dir():
        raise InputError(f"{run}: no such run folder")
    source = find_model_folder(run).absolute()
    model = Disentangler.from_pretrained(source)
    adjust(model, read_overrides(settings))
    paths, root = expand(get_modality(config_of(model).modality), inputs)
    del model
    job = EncodeJob(
        folder=(out if write is None else out.parent / f".{out.name}.shards").absolute(),
        device=on,
        model=source,
        root=root.absolute(),
        settings=tuple(settings),
        length=length,
        stride=stride,
        batch_size=batch_size,
    )
    folder = ShardFolder(job, plan_encoding(job, [path.absolute() for path in paths]))
    with Processes(cpu=not on.startswith("cuda")) as processes:
        run_shards(folder, executor, processes=processes, workers=workers, force=force, progress=progress)
        if not processes.is_first:
            return None
        shards, contents = _contents(folder)
        folder.finish(contents)
        files = (out,)
        if write is not None:
            files = write(shards, out)
            folder.clear()
        return EncodedFiles(
            files=files,
            sequences=len(shards),
            static_shape=tuple(contents["static_shape"]),
            dynamic_shape=tuple(contents["dynamic_shape"]),
            processes=processes.count,
        )


def _check_output(out: Path) -> Callable[[FactorShards, Path], tuple[Path, ...]] | None:
    """What writes a result of this suffix; None for a folder."""
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


def _contents(folder: ShardFolder) -> tuple[FactorShards, dict[str, Any]]:
    """All shards, and what the index says of them."""
    paths = [folder.job.path(number) for number in range(len(folder.plan.inputs))]
    described = [read_description(path) for path in paths]
    shards = FactorShards(tuple(paths), FactorDescription.join(described))
    first = next(iter(shards))
    return shards, {
        "sequences": len(shards),
        "static_shape": [*first.static.shape[1:]],
        "dynamic_shape": [*first.dynamic.shape[1:]],
        "contents": [
            {"file": path.name, "sequences": len(one.keys), "first": one.keys[0], "last": one.keys[-1]}
            for path, one in zip(paths, described, strict=True)
        ],
    }
