"""``seqdis data encode``: the frames of files coded once, for trainings behind a frozen codec."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.cli.options import (
    Device,
    ExecutorName,
    ExecutorSettings,
    Json,
    Overrides,
    SkipBad,
    Workers,
    argument,
    optional,
)
from seqdis.core.cli.output import print_result, progress_bar
from seqdis.core.largest_sizes import LONGEST

__all__ = ["encode"]

_PRESET = "The preset that is to be trained; its frames and its codec count."
_CODEC = "Folder of the codec's weights; same as codec.path=FOLDER."
_OUT = "Folder of the latents, a new or an empty one, or one that was begun."
_BATCH = "Frames a pass."
_FORCE = "Start over where --out holds latents of another codec or of other files."


def encode(
    folder: Annotated[Path, argument("DATA", "A folder of files, or one file.")],
    overrides: Overrides = None,
    preset: Annotated[str, optional(_PRESET, "--preset")] = ...,  # type: ignore[assignment]
    out: Annotated[Path, optional(_OUT, "--out")] = ...,  # type: ignore[assignment]
    codec: Annotated[Path | None, optional(_CODEC, "--codec")] = None,
    skip_bad: SkipBad = False,
    batch_size: Annotated[int, typer.Option("--batch-size", min=1, max=LONGEST, help=_BATCH)] = 32,
    workers: Workers = 0,
    executor: ExecutorName = "local",
    executor_settings: ExecutorSettings = None,
    force: Annotated[bool, typer.Option("--force", help=_FORCE)] = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Code every frame of a folder of files once, by the frozen codec that stands in front of a preset's model.

    `seqdis train PRESET --data OUT` then reads the latents and leaves the same model, without coding
    each frame again in every epoch. The work goes through in shards; after it was stopped, the same
    command goes on with what is missing. `--executor ray` and `slurm` use a cluster; processes that
    `accelerate launch -m seqdis.core.cli data encode ...` starts share the work as well. The result
    is the same to the last bit.
    """
    from seqdis.core.analysis.encode_data import encode_data
    from seqdis.core.config import apply_overrides
    from seqdis.core.executors import get_executor
    from seqdis.core.overrides import read_overrides
    from seqdis.core.processes import is_first_process
    from seqdis.core.registry import get_preset

    changes = [*(overrides or []), *([] if codec is None else [f"codec.path={codec}"])]
    changes += ["data.skip_bad=true"] if skip_bad else []
    config = apply_overrides(get_preset(preset), changes)
    with progress_bar("encoding", show=is_first_process() and not as_json) as progress:
        encoded = encode_data(
            config,
            folder,
            out,
            force=force,
            executor=get_executor(executor, read_overrides(executor_settings or [])),
            device=device,
            batch_size=batch_size,
            workers=workers,
            progress=progress,
        )
    if encoded is None:  # the first process says it
        return
    cache = encoded.cache
    shape = "x".join(map(str, cache.latent_shape))
    print_result(
        {
            "out": str(out),
            "recordings": len(cache.recordings),
            "frames": encoded.frames,
            "latent_shape": [*cache.latent_shape],
            "mean": cache.mean.tolist(),
            "std": cache.std.tolist(),
            "bytes": encoded.size,
            "processes": encoded.processes,
        },
        f"{out}: {encoded.frames} frames of {len(cache.recordings)} recordings, latents {shape}, "
        f"{encoded.size / 1e6:.1f} MB; see also `seqdis train {preset} --data {out}`",
        as_json=as_json,
    )
