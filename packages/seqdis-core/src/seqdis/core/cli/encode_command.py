"""``seqdis encode``: files to factors, by one process or by many."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqdis.core.cli.options import Device, Frames, Inputs, Json, ModelSettings, RunFolder
from seqdis.core.cli.output import print_json, print_line, progress_bar
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.cli.processes import Processes
    from seqdis.core.disentangler import Disentangler
    from seqdis.core.factors import Factors

__all__ = ["encode"]

SUFFIXES = (".safetensors", ".npz")
MOST_CHUNKS_OF_FEW_FILES, MOST_FILES_A_CHUNK = 64, 16


def encode(
    run: RunFolder,
    inputs: Inputs,
    out: Annotated[Path, typer.Option("--out", show_default=False, help="The result: .safetensors or .npz.")],
    stride: Annotated[
        int | None,
        typer.Option(
            min=1, show_default=False, help="Steps between windows of longer inputs; no overlap when omitted."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Sequences a pass.")] = 64,
    frames: Frames = None,
    settings: ModelSettings = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Encode files into static and dynamic factors, one row a sequence.

    Recordings longer than the model's sequences are cut into windows. Rows are named by the
    files' paths, with @START where a file gives several. Started by `accelerate launch -m
    seqdis.core.cli encode ...`, the processes share the work and leave the same single result.
    """
    from seqdis.core.cli.inputs import expand
    from seqdis.core.cli.model import config_of, load_model
    from seqdis.core.cli.processes import Processes
    from seqdis.core.factors import Factors
    from seqdis.core.registry import get_modality

    if out.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{out}: factors cannot be written as {out.suffix!r}; allowed: {', '.join(SUFFIXES)}"
        )
    model = load_model(run, device=device, settings=settings)
    paths, root = expand(get_modality(config_of(model).modality), inputs)
    chunks = _chunks(paths)
    with Processes(cpu=model.device.type == "cpu") as processes:
        mine = range(processes.rank, len(chunks), processes.count)
        with progress_bar("encoding", show=processes.is_first and not as_json) as progress:
            parts = _encode_chunks(model, chunks, mine, root, (frames, stride), batch_size, progress)
            if processes.count == 1:
                result: Factors | None = Factors.cat([factors for _, factors in parts])
            else:
                result = _merge(parts, len(chunks), out, processes)
        if result is None:
            return
        factors = result
        _write(out, factors)
    if as_json:
        shapes = {"static_shape": [*factors.static.shape[1:]], "dynamic_shape": [*factors.dynamic.shape[1:]]}
        print_json({"out": str(out), "sequences": len(factors), **shapes, "processes": processes.count})
    else:
        print_line(
            f"{out}: {len(factors)} sequences, static {_shape(factors.static)}, dynamic {_shape(factors.dynamic)}"
        )


def _shape(value: object) -> str:
    return "x".join(map(str, value.shape[1:]))  # type: ignore[attr-defined]


def _chunks(paths: Sequence[Path]) -> list[Sequence[Path]]:
    # What shares a batch must not depend on how many processes there are: sums inside a matrix
    # product may depend on the batch, and the result is to be the same to the last bit.
    size = min(MOST_FILES_A_CHUNK, -(-len(paths) // MOST_CHUNKS_OF_FEW_FILES))
    return [paths[i : i + size] for i in range(0, len(paths), size)]


def _encode_chunks(
    model: Disentangler,
    chunks: Sequence[Sequence[Path]],
    mine: Sequence[int],
    root: Path,
    windows: tuple[int | None, int | None],
    batch_size: int,
    progress: Callable[[int, int], None],
) -> Iterator[tuple[int, Factors]]:
    """Number and factors of each of my chunks."""
    from seqdis.core.analysis.encode import encode_dataset
    from seqdis.core.cli.model import config_of
    from seqdis.core.data.folder import read_clip
    from seqdis.core.data.sliding_windows import sliding_windows
    from seqdis.core.registry import get_modality

    data = config_of(model).data
    modality, (length, stride) = get_modality(config_of(model).modality), windows
    for position, index in enumerate(mine):
        clips = [read_clip(modality, path, data, root) for path in chunks[index]]
        sequences = sliding_windows(clips, length or data.length, stride=stride)

        def within(done: int, total: int, position: int = position) -> None:
            progress(position * 1000 + 1000 * done // total, len(mine) * 1000)

        factors = encode_dataset(model, sequences, batch_size=batch_size, seed=index, progress=within)
        yield index, replace(factors, keys=sequences.fetch(range(len(sequences))).keys)


def _merge(
    parts: Iterator[tuple[int, Factors]], count: int, out: Path, processes: Processes
) -> Factors | None:
    """Exchange the chunks of all processes as files beside ``out``; the first process returns the whole.

    Raises:
        InputError: In the first process, with what went wrong in any of them.
    """
    from seqdis.core.factors import Factors

    folder = out.parent / f".{out.name}.parts"
    failure: str | None = None
    try:
        for index, factors in parts:
            factors.save(folder / f"{index:06d}.safetensors")
    except InputError as error:
        failure = str(error)
    failures = [message for message in processes.gather(failure) if message is not None]
    if not processes.is_first:
        if failures:
            raise typer.Exit(2)
        return None
    try:
        if failures:
            raise InputError(failures[0])
        return Factors.cat([Factors.load(folder / f"{index:06d}.safetensors") for index in range(count)])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(out: Path, factors: Factors) -> None:
    import numpy as np

    from seqdis.core.files import replace_file

    if out.suffix.lower() == ".safetensors":
        factors.save(out)
        return
    values = factors.numpy()
    arrays: dict[str, Any] = {"static": values.static, "dynamic": values.dynamic}
    arrays |= {f"extra.{factors.extras[name].side}.{name}": value for name, value in values.extras.items()}
    with replace_file(out) as partial:
        np.savez(partial, keys=np.array(values.keys), **arrays)
