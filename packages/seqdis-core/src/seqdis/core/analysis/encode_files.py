"""Factors of media files, encoded by one process or by several that share the work."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from seqdis.core.analysis.encode import encode_dataset
from seqdis.core.data.discovery import Found
from seqdis.core.data.folder_content import open_recordings
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.files import replace_file
from seqdis.core.pretrained import config_of
from seqdis.core.processes import Processes, ReportedElsewhere
from seqdis.core.progress import Progress
from seqdis.core.registry import get_modality

__all__ = ["chunks_of", "encode_files", "save_factors"]

MOST_CHUNKS_OF_FEW_FILES, MOST_FILES_A_CHUNK = 64, 16


def save_factors(factors: Factors, path: Path) -> None:
    """Write ``.safetensors`` or ``.npz``, by the suffix of ``path``; the file appears whole or not at all."""
    if path.suffix.lower() == ".safetensors":
        factors.save(path)
        return
    values = factors.numpy()
    arrays: dict[str, Any] = {"static": values.static, "dynamic": values.dynamic}
    arrays |= {f"extra.{factors.extras[name].side}.{name}": value for name, value in values.extras.items()}
    with replace_file(path) as partial:
        np.savez(partial, keys=np.array(values.keys), **arrays)


def encode_files(
    model: Disentangler,
    paths: Sequence[Path],
    root: Path,
    *,
    length: int | None = None,
    stride: int | None = None,
    batch_size: int = 64,
    processes: Processes,
    exchange: Path,
    progress: Progress,
) -> Factors | None:
    """Encode files; the result does not depend on how many processes share the work, to the last bit.

    Args:
        model: A trained model that was built from a configuration.
        paths: Media files to encode, in the order of the result.
        root: Folder below which the keys name the files.
        length: Steps of a window; those of the training sequences when omitted.
        stride: Steps from one window of a file to the next; no overlap when omitted.
        batch_size: Sequences a pass.
        processes: The processes of this launch, among which the files are shared out.
        exchange: A folder that all processes see, for parts of the result; it is removed afterwards.
        progress: Called as the work of this process advances.

    Returns:
        All factors with their keys, on the CPU, in the first process; None in the others. A key is the
        file's path below ``root``, with ``@START`` where a file gives several windows.

    Raises:
        InputError: A file cannot be used. The first process says so, whichever process read it; the others
            raise :class:`ReportedElsewhere`.
    """
    chunks = chunks_of(paths)
    share = range(processes.rank, len(chunks), processes.count)
    parts = _encode_chunks(model, chunks, share, root, (length, stride), batch_size, progress)
    if processes.count == 1:
        return Factors.cat([part for _, part in parts])
    failure: str | None = None
    try:
        for index, part in parts:
            part.save(exchange / f"{index:06d}.safetensors")
    except InputError as error:
        failure = str(error)
    failures = [message for message in processes.gather(failure) if message is not None]
    if not processes.is_first:
        if failures:
            raise ReportedElsewhere(failures[0])
        return None
    try:
        if failures:
            raise InputError(failures[0])
        files = [exchange / f"{index:06d}.safetensors" for index in range(len(chunks))]
        return Factors.cat([Factors.load(file) for file in files])
    finally:
        shutil.rmtree(exchange, ignore_errors=True)


def chunks_of(paths: Sequence[Path]) -> list[Sequence[Path]]:
    """Split the files into the batches that are encoded together, the same for any number of processes.

    Sums inside a matrix product may depend on the batch, so what shares a batch must not change.
    """
    size = min(MOST_FILES_A_CHUNK, -(-len(paths) // MOST_CHUNKS_OF_FEW_FILES))
    return [paths[i : i + size] for i in range(0, len(paths), size)]


def _encode_chunks(
    model: Disentangler,
    chunks: Sequence[Sequence[Path]],
    share: Sequence[int],
    root: Path,
    windows: tuple[int | None, int | None],
    batch_size: int,
    progress: Progress,
) -> Iterator[tuple[int, Factors]]:
    config, (length, stride) = config_of(model), windows
    modality = get_modality(config.modality)
    for position, index in enumerate(share):
        opened = open_recordings(modality, Found(tuple(chunks[index]), ()), config.data, root)
        sequences = SlidingWindows(opened.recordings, length or config.data.length, stride=stride)

        def within(done: int, total: int, position: int = position) -> None:
            progress(position * 1000 + 1000 * done // total, len(share) * 1000)

        factors = encode_dataset(model, sequences, batch_size=batch_size, seed=index, progress=within)
        yield index, replace(factors, keys=sequences.fetch(range(len(sequences))).keys)
