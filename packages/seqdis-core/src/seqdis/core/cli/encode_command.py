"""``seqdis encode``: files to factors, by one process or by many."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from seqdis.core.cli.options import (
    BatchSize,
    Device,
    Frames,
    Inputs,
    Json,
    ModelSettings,
    RunFolder,
    optional,
)
from seqdis.core.cli.output import print_result, progress_bar
from seqdis.core.errors import InputError

__all__ = ["encode"]

SUFFIXES = (".safetensors", ".npz")
_STRIDE = "Steps between windows of longer inputs; no overlap when omitted."


def encode(
    run: RunFolder,
    inputs: Inputs,
    out: Annotated[Path, optional("The result: .safetensors or .npz.", "--out")],
    stride: Annotated[int | None, optional(_STRIDE, min=1)] = None,
    batch_size: BatchSize = 64,
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
    from seqdis.core.analysis.encode_files import encode_files, save_factors
    from seqdis.core.cli.session import open_session
    from seqdis.core.data.inputs import expand
    from seqdis.core.processes import Processes

    if out.suffix.lower() not in SUFFIXES:
        raise InputError(
            f"{out}: factors cannot be written as {out.suffix!r}; allowed: {', '.join(SUFFIXES)}"
        )
    session = open_session(run, device=device, settings=settings)
    paths, root = expand(session.modality, inputs)
    with (
        Processes(cpu=session.model.device.type == "cpu") as processes,
        progress_bar("encoding", show=processes.is_first and not as_json) as progress,
    ):
        factors = encode_files(
            session.model,
            paths,
            root,
            length=frames,
            stride=stride,
            batch_size=batch_size,
            processes=processes,
            exchange=out.parent / f".{out.name}.parts",
            progress=progress,
        )
    if factors is None:  # the first process writes
        return
    save_factors(factors, out)
    static, dynamic = ([*value.shape[1:]] for value in (factors.static, factors.dynamic))
    summary = {
        "out": str(out),
        "sequences": len(factors),
        "static_shape": static,
        "dynamic_shape": dynamic,
    }
    print_result(
        {**summary, "processes": processes.count},
        f"{out}: {len(factors)} sequences, static {_shape(static)}, dynamic {_shape(dynamic)}",
        as_json=as_json,
    )


def _shape(shape: list[int]) -> str:
    return "x".join(map(str, shape))
