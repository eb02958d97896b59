"""``seqdis encode``: files to factors, by one process or by many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.cli.options import (
    BatchSize,
    Device,
    ExecutorName,
    ExecutorSettings,
    Frames,
    Inputs,
    Json,
    ModelSettings,
    RunFolder,
    SkipBad,
    Workers,
    optional,
)
from seqdis.core.cli.output import print_result, progress_bar
from seqdis.core.largest_sizes import LONGEST_CLIP

__all__ = ["encode"]

_OUT = "The result: .safetensors, .npz, .csv, .parquet, or a folder of shards."
_STRIDE = "Steps between windows of longer inputs; no overlap when omitted."
_TAIL = (
    "Whether the steps behind a recording's last whole window are a window as well, padded; when omitted, "
    "they are where the method can have padding."
)
_FORCE = "Start over where --out holds factors of another model or of other inputs."


def encode(
    run: RunFolder,
    inputs: Inputs,
    out: Annotated[Path, optional(_OUT, "--out")],
    stride: Annotated[int | None, optional(_STRIDE, min=1, max=LONGEST_CLIP)] = None,
    tail: Annotated[bool | None, optional(_TAIL, "--tail/--no-tail")] = None,
    skip_bad: SkipBad = False,
    batch_size: BatchSize = 64,
    frames: Frames = None,
    settings: ModelSettings = None,
    workers: Workers = 0,
    executor: ExecutorName = "local",
    executor_settings: ExecutorSettings = None,
    force: Annotated[bool, typer.Option("--force", help=_FORCE)] = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Encode files into static and dynamic factors, one row a sequence.

    Recordings longer than the model's sequences are cut into windows. Rows are named by the
    files' paths, with @START where a file gives several. The work goes through in shards; after
    it was stopped, the same command goes on with what is missing. A .csv or .parquet becomes two
    tables: NAME.static has a row a sequence, NAME.dynamic a row a step. `--executor ray` and
    `slurm` use a cluster; processes that `accelerate launch -m seqdis.core.cli encode ...` starts
    share the work as well. The result is the same to the last bit.
    """
    from seqdis.core.analysis.encode_files import encode_files
    from seqdis.core.executors import get_executor
    from seqdis.core.overrides import read_overrides
    from seqdis.core.processes import is_first_process

    with progress_bar("encoding", show=is_first_process() and not as_json) as progress:
        encoded = encode_files(
            run,
            inputs,
            out,
            length=frames,
            stride=stride,
            tail=tail,
            skip_bad=skip_bad,
            batch_size=batch_size,
            settings=settings or (),
            device=device,
            executor=get_executor(executor, read_overrides(executor_settings or [])),
            workers=workers,
            force=force,
            progress=progress,
        )
    if encoded is None:  # the first process says it
        return
    print_result(
        {
            "out": str(out),
            "files": [str(path) for path in encoded.files],
            "sequences": encoded.sequences,
            "static_shape": [*encoded.static_shape],
            "dynamic_shape": [*encoded.dynamic_shape],
            "processes": encoded.processes,
        },
        f"{', '.join(map(str, encoded.files))}: {encoded.sequences} sequences, "
        f"static {_shape(encoded.static_shape)}, dynamic {_shape(encoded.dynamic_shape)}",
        as_json=as_json,
    )


def _shape(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
