"""``encode_data``: a folder of files in, a folder of latents out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seqdis.core.analysis.encode_job import split_files
from seqdis.core.analysis.latent_job import LatentJob
from seqdis.core.codec import FrameCodec, IdentityCodec
from seqdis.core.config import RunConfig
from seqdis.core.data.discovery import LeftOut, describe_left_out, find_inputs
from seqdis.core.data.file_states import digest_of_files, digest_of_json
from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.data.labels import label_of
from seqdis.core.data.latent_cache import LatentCache, open_latents
from seqdis.core.data.latent_shard import HeldRecording, LatentShard
from seqdis.core.data.running_moments import RunningMoments
from seqdis.core.data.settled_by_files import settled_by_files
from seqdis.core.errors import InputError
from seqdis.core.executors import Executor, ShardFolder, ShardPlan, get_executor, run_shards
from seqdis.core.folder_lock import only_writer
from seqdis.core.latent_settings import frame_settings
from seqdis.core.processes import Processes
from seqdis.core.progress import Progress
from seqdis.core.registry import get_modality
from seqdis.core.run_lock import writing_to

__all__ = ["EncodedData", "encode_data"]

MOST_FILES_A_SHARD = 64
"""A shard of clips of ten seconds is some 150 MB, and lies in memory until it is written."""
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class EncodedData:
    """The result of :func:`encode_data`.

    Attributes:
        cache: The latents, ready to be learnt from.
        frames: Number of frames.
        size: Number of bytes of the shards.
        processes: Number of processes of this launch that shared the work.
    """

    cache: LatentCache
    frames: int
    size: int
    processes: int


def encode_data(
    config: RunConfig,
    files: Path,
    out: Path,
    *,
    batch_size: int = 32,
    device: str | None = None,
    executor: Executor | None = None,
    workers: int = 0,
    force: bool = False,
    progress: Progress | None = None,
) -> EncodedData | None:
    """Code every frame of a folder of files by the frozen codec of a configuration, once for all trainings.

    The latents are kept as float16, in shards that are finished or absent: after the work was stopped, the same call
    goes on with what is missing, and never over shards of another codec, of other files or of frames of another kind.
    The bytes do not depend on who does which part of the work.

    Args:
        config: The configuration; its modality, codec and data settings count.
        files: The folder of files, or one file.
        out: The folder of the latents.
        batch_size: Frames a pass.
        device: Device to compute on; the fastest when omitted.
        executor: The engine that computes the shards; processes of this machine when omitted.
        workers: Number of processes that read files ahead, for each that computes.
        force: Start over where the shards that are there belong to something else.
        progress: Called with the number of shards that this call has finished, and that of all that were missing.

    Returns:
        The latents, ready to be learnt from; None in all but the first of several processes that ``accelerate launch`` started.

    Raises:
        InputError: The configuration has no codec or is of a named dataset, a file or the device cannot be used, or
            ``out`` holds something else.
    """
    executor = executor or get_executor("local")
    on = executor.device(device)
    if config.data.dataset != "folder":
        raise InputError(
            f"preset {config.preset!r} is of the dataset {config.data.dataset!r}; allowed: a folder of files, data.dataset=folder"
        )
    codec = get_modality(config.modality).codec(config.codec)
    if isinstance(codec, IdentityCodec):
        raise InputError(
            f"preset {config.preset!r} has no frame codec, so that nothing is to be coded; name one by codec.name=… "
            "and --codec FOLDER"
        )
    root = files if files.is_dir() else files.parent
    modality = get_modality(config.modality)
    found = find_inputs(modality, [files])
    data = settled_by_files(modality, config.data, found.paths)
    codec.latent_shape(data.frame_shape)  # refuses frames that do not suit it, before anything is read
    job = LatentJob(
        folder=out.absolute(),
        device=on,
        modality=config.modality,
        data=data.model_dump_json(),
        codec=config.codec.model_dump_json(),
        root=root.absolute(),
        batch_size=batch_size,
        files=len(found.paths),
    )
    paths = [path.absolute() for path in found.paths]
    folder = ShardFolder(job, _plan(job, codec, frame_settings(data), paths))
    with (
        Processes(cpu=not on.startswith("cuda")) as processes,
        processes.in_first(writing_to(out)),
        processes.in_first(only_writer(folder.path, helped=True)),
    ):
        run_shards(folder, executor, processes=processes, workers=workers, force=force, progress=progress)
        if not processes.is_first:
            return None
        head: dict[str, Any] = {
            "files": str(files.absolute()),
            "modality": config.modality,
            "codec": config.codec.model_dump(mode="json") | {"fingerprint": codec.fingerprint()},
            "asked": frame_settings(config.data),
            "settings": frame_settings(data),
        }
        folder.finish(head | _contents(folder, found.left_out))
        cache = open_latents(out)
        for line in describe_left_out(cache.left_out):
            _logger.warning("left out: %s", line)
        return EncodedData(
            cache=cache,
            frames=sum(one.steps for one in cache.recordings),
            size=sum(path.stat().st_size for path in {one.path for one in cache.recordings}),
            processes=processes.count,
        )


def _plan(job: LatentJob, codec: FrameCodec, settings: dict[str, Any], paths: Sequence[Path]) -> ShardPlan:
    shards = [[str(path) for path in part] for part in split_files(paths, most=MOST_FILES_A_SHARD)]
    fingerprint = {
        "codec": codec.fingerprint(),
        "settings": digest_of_json([job.modality, settings, job.batch_size, str(job.root)]),
        "inputs": digest_of_files(paths),
        "device": job.device.partition(":")[0],
        "version": version("seqdis-core"),
    }
    return ShardPlan(shards, fingerprint)


def _contents(folder: ShardFolder, left_out: Sequence[LeftOut]) -> dict[str, Any]:
    """The recordings and labels of all shards and the moments of all latents, for the index."""
    every = [LatentShard(folder.job.path(number)) for number in range(len(folder.plan.inputs))]
    damaged = [LeftOut(Path(path), "damaged", detail) for one in every for path, _, detail in one.left_out]
    shards = [one for one in every if one.recordings]
    if not shards:
        raise InputError(f"no recording is left: {'; '.join(describe_left_out([*left_out, *damaged]))}")
    held = [one for shard in shards for one in shard.recordings]
    moments: RunningMoments = shards[0].moments
    for shard in shards[1:]:
        moments = moments.joined(shard.moments)
    return {
        "latent_shape": list(shards[0].latent_shape or ()),
        "frames": sum(one.steps for one in held),
        "mean": moments.mean.tolist(),
        "std": moments.std.tolist(),
        "labels": _labels(folder.job, held),
        "step_labels": _step_labels(shards, held),
        "contents": [
            {
                "file": shard.path.name,
                "recordings": [
                    {"key": one.key, "steps": one.steps} | ({"stamps": one.stamps} if one.stamps else {})
                    for one in shard.recordings
                ],
            }
            for shard in shards
        ],
        "left_out": [
            {"path": str(one.path), "reason": one.reason, "detail": one.detail}
            for one in [*left_out, *damaged]
        ],
    }


def _labels(job: Any, held: Sequence[HeldRecording]) -> dict[str, Any]:
    """The classes of each label, its side, and which of them each recording has, in their order."""
    rows = [dict(one.labels) for one in held]
    _check_names(held, [sorted(row) for row in rows])
    meanings = {name: label_of((row[name] for row in rows), "static") for name in rows[0]}
    known = read_folder_labels(job.root)
    if known is not None:
        rows = [row | dict(known.of(Path(one.key).as_posix())) for row, one in zip(rows, held, strict=True)]
        meanings |= known.labels
    values = {}
    for name, label in meanings.items():
        number = {text: i for i, text in enumerate(label.classes)}
        of = [number[row[name]] for row in rows]
        values[name] = {"classes": list(label.classes), "factor": label.factor, "of": of}
    return values


def _step_labels(shards: Sequence[LatentShard], held: Sequence[HeldRecording]) -> dict[str, list[str]]:
    _check_names(held, [sorted(one.step_labels) for one in held])
    return {
        name: list(
            label_of((text for shard in shards for text in shard.classes.get(name, [])), "dynamic").classes
        )
        for name in held[0].step_labels
    }


def _check_names(held: Sequence[HeldRecording], names: Sequence[Sequence[str]]) -> None:
    for one, own in zip(held, names, strict=True):
        if own != names[0]:
            raise InputError(
                f"{one.key}: labels {own or 'none'}; those of {held[0].key} are {names[0] or 'none'}"
            )
