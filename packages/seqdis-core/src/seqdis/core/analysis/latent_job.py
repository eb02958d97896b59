"""The frames of media files coded once by a frozen codec, a shard of files at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import torch

from seqdis.core.analysis.block_recording import BlockRecording
from seqdis.core.codec import FrameCodec
from seqdis.core.config import CodecConfig, DataConfig
from seqdis.core.data.clip import Clip, as_float
from seqdis.core.data.discovery import Found, LeftOut
from seqdis.core.data.folder_content import open_recordings
from seqdis.core.data.latent_cache import ENCODED_DATA
from seqdis.core.data.latent_shard import write_shard
from seqdis.core.data.recording import Recording
from seqdis.core.device_choice import pick_device
from seqdis.core.errors import InputError
from seqdis.core.executors import ShardJob, ShardWorker
from seqdis.core.printable_names import printable
from seqdis.core.registry import get_modality
from seqdis.core.training.devices import fast_layout

__all__ = ["FrameBatch", "LatentJob"]

PASSES_READ_TOGETHER = 8
"""The steps of so many passes are read in one go, for a video is decoded from the key frame before them."""


@dataclass(frozen=True)
class FrameBatch:
    """Some steps of one recording, or a file that was left out.

    Attributes:
        clip: The steps, natural or coded; None where a file was left out.
        left_out: The file that was left out, if it was.
        broken: Key of a file that turned out to be damaged in the midst of it, so that its steps so far do not count.
    """

    clip: Clip | None
    left_out: tuple[LeftOut, ...] = ()
    broken: str | None = None


@dataclass(frozen=True)
class LatentJob(ShardJob):
    """Coding of every frame of some files.

    Attributes:
        modality: Name of the modality that reads the files.
        data: The data settings, as JSON; nothing in them is open.
        codec: The codec's settings, as JSON.
        root: Folder below which the keys name the files.
        batch_size: Frames a pass.
        files: Number of files in all.
    """

    modality: str
    data: str
    codec: str
    root: Path
    batch_size: int = 32
    files: int = 1

    name: ClassVar[str] = ENCODED_DATA

    def open(self) -> LatentWorker:
        codec = get_modality(self.modality).codec(CodecConfig.model_validate_json(self.codec))
        return LatentWorker(fast_layout(codec.requires_grad_(False).eval().to(pick_device(self.device))))

    def read(self, shard: int) -> Iterator[FrameBatch]:
        data = DataConfig.model_validate_json(self.data)
        for path in map(Path, self.inputs(shard)):
            try:
                for recording in self._open(path, data):
                    for part in self._parts(recording):
                        yield FrameBatch(part)
            except InputError as error:
                if not data.skip_bad:
                    hint = "" if self.files == 1 else "; --skip-bad leaves out what cannot be used"
                    raise InputError(f"{error}{hint}") from error
                left = LeftOut(path, "damaged", str(error).removeprefix(f"{path}: "))
                yield FrameBatch(None, (left,), broken=printable(str(path.relative_to(self.root))))

    def _open(self, path: Path, data: DataConfig) -> Sequence[Recording]:
        # What is too short for a sequence is a matter of the training that reads the latents.
        all_of_it = data.model_copy(update={"min_length": 1, "skip_bad": False})
        found = Found((path,), ())
        return open_recordings(get_modality(self.modality), found, all_of_it, self.root).recordings

    def _parts(self, recording: Recording) -> Iterator[Clip]:
        if not isinstance(recording, Clip):
            span = PASSES_READ_TOGETHER * self.batch_size
            recording = BlockRecording(
                key=recording.key, labels=recording.labels, source=recording, span=span
            )
        for start in range(0, recording.steps, self.batch_size):
            part = recording.take(torch.arange(start, min(start + self.batch_size, recording.steps)))
            if part.observed is not None and not bool(part.observed.all()):
                raise InputError(
                    f"{recording.key}: {int((~part.observed).sum())} entries of steps {start} and after it are missing; "
                    "a frame codec mixes the entries of a frame and takes whole ones"
                )
            yield part


class LatentWorker(ShardWorker):
    """A codec on its device.

    Args:
        codec: The frozen codec.
    """

    def __init__(self, codec: FrameCodec) -> None:
        self._codec = codec
        weights = next(iter([*codec.parameters(), *codec.buffers()]), torch.zeros(()))
        self._device = weights.device

    @torch.inference_mode()
    def compute(self, shard: int, batch: FrameBatch) -> FrameBatch:
        clip = batch.clip
        if clip is None:
            return batch
        latents = self._codec.encode(as_float(clip.frames).to(self._device)).half().cpu()
        if not bool(torch.isfinite(latents).all()):
            raise InputError(
                f"{clip.key}: its latents do not fit into float16, up to 65504; this codec's cannot be kept so"
            )
        return replace(batch, clip=replace(clip, frames=latents, observed=None))

    def write(self, shard: int, results: Sequence[FrameBatch], path: Path) -> None:
        clips: list[list[Clip]] = []
        broken = {result.broken for result in results}
        for result in results:
            if result.clip is not None and result.clip.key.partition("#")[0] not in broken:
                if not clips or clips[-1][0].key != result.clip.key:
                    clips.append([])
                clips[-1].append(result.clip)
        left_out = [(str(x.path), x.reason, x.detail) for result in results for x in result.left_out]
        write_shard(path, [Clip.joined(parts) for parts in clips], left_out=left_out)
