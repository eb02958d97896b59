"""The video modality, which this package adds to seqdis."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from torch import Tensor, nn

from seqdis.core.codec import FrameCodec, IdentityCodec
from seqdis.core.config import CodecConfig, Config, DataConfig, RunConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.data.file_preparation import FilePreparation
from seqdis.core.data.targets import Target
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.finite import check_finite
from seqdis.core.modality import DatasetSpec, Modality, Panel
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.video.backbones import (
    picture_decoder,
    picture_encoder,
    unet_denoiser,
    unet_token_denoiser,
)
from seqdis.video.codecs import load_autoencoder
from seqdis.video.datasets import DATASETS
from seqdis.video.frame_size import complete_frame_shape
from seqdis.video.io import CONTAINERS, READS
from seqdis.video.options import VideoOptions
from seqdis.video.picture_folder import holds_frames
from seqdis.video.playback import playback_of
from seqdis.video.plot import draw_grid
from seqdis.video.presets import PRESETS
from seqdis.video.targets import TARGETS
from seqdis.video.torchcodec_frames import pick_decoder
from seqdis.video.video_recording import VideoRecording, open_recording
from seqdis.video.writing import write_frames

__all__ = ["VideoModality"]

_LOOKED_AT = 8


class VideoModality(Modality):
    """Clips of RGB frames ``(3, H, W)``, or of grey ones ``(1, H, W)``, in [0, 1]."""

    name = "video"
    summary = "clips of RGB frames: mp4, mov, webm, mkv, avi, ts, gif, webp, folders of images, …"
    reads = READS
    writes = (".mp4", ".gif", ".webm", ".png", "/")
    pictures = (".png", ".gif")
    options_class: ClassVar[type[Config]] = VideoOptions
    value_range = (0.0, 1.0)
    uint8_storage = True

    def datasets(self) -> Mapping[str, DatasetSpec]:
        return DATASETS

    def targets(self) -> Mapping[str, Target]:
        return TARGETS

    def presets(self) -> Mapping[str, Callable[[], RunConfig]]:
        return PRESETS

    def starter(self) -> str | None:
        return "diffsda-video"

    def demo(self) -> str | None:
        return "diffsda-shapes"

    def preparation(self, options: Mapping[str, Any]) -> FilePreparation:
        from seqdis.video.preparation.video_preparation import video_preparation

        return video_preparation(options)

    def is_frame_folder(self, folder: Path) -> bool:
        names = [path.name.lower() for path in folder.iterdir()]
        return not any(name.endswith((*CONTAINERS, ".gif")) for name in names) and holds_frames(folder)

    def complete(self, data: DataConfig, paths: Sequence[Path]) -> DataConfig:
        """Take the frame shape from the first clip, in colour where a clip is, and settle on a decoder.

        See :func:`~seqdis.video.frame_size.complete_frame_shape`; of many clips, eight are looked at for colour.
        """
        completed = super().complete(data, paths)
        for path in paths[:: -(-len(paths) // _LOOKED_AT)] if not data.frame_shape else ():
            if completed.frame_shape[0] == 1:
                with contextlib.suppress(InputError):
                    channels = self.complete_from(data, path).frame_shape[:1]
                    shape = channels + completed.frame_shape[1:]
                    completed = completed.model_copy(update={"frame_shape": shape})
        return completed

    def complete_from(self, data: DataConfig, path: Path) -> DataConfig:
        # The decoder is settled once a run: two of them need not agree in every bit.
        options = self.options(data)
        options = options.model_copy(update={"decoder": pick_decoder(options.decoder)})
        data = data.model_copy(update={"options": options.model_dump()})
        return data if data.frame_shape else complete_frame_shape(data, path, options=options)

    def open(self, path: Path, data: DataConfig) -> Sequence[VideoRecording]:
        _check_shape(data)
        if not path.is_dir():
            self.check_suffix(path, self.reads, "read")
        return [open_recording(path, shape=data.frame_shape, options=self.options(data))]

    def read(self, path: Path, data: DataConfig) -> Clip:
        return self.open(path, data)[0].whole()

    def write(
        self, path: Path, frames: Tensor, data: DataConfig, *, source: DynamicsSource | None = None
    ) -> None:
        if path.suffix:  # a name without one is a folder
            self.check_suffix(path, self.writes, "write")
        _check_shape(data)
        channels = data.frame_shape[0]
        if frames.ndim != 4 or frames.shape[1] != channels or not len(frames):
            raise InputError(f"{path}: frames of shape {tuple(frames.shape)}; allowed: (T, {channels}, H, W)")
        check_finite(frames, str(path))
        playback = playback_of(self.options(data), source, steps=len(frames))
        write_frames(path, frames.expand(-1, 3, -1, -1), fps=playback.fps, sound=playback.sound)

    def draw(self, path: Path, grid: Sequence[Sequence[Panel]], data: DataConfig) -> None:
        self.check_suffix(path, self.pictures, "draw")
        draw_grid(path, grid, fps=self.options(data).playback_fps)

    def frame_encoder(
        self, config: BackboneConfig, *, frame_shape: tuple[int, ...], features: int
    ) -> nn.Module:
        return picture_encoder(config, frame_shape=frame_shape, features=features)

    def denoiser(self, config: BackboneConfig, *, frame_shape: tuple[int, ...], condition: int) -> nn.Module:
        return unet_denoiser(config, frame_shape=frame_shape, condition=condition)

    def frame_decoder(
        self, config: BackboneConfig, *, frame_shape: tuple[int, ...], condition: int
    ) -> nn.Module:
        return picture_decoder(config, frame_shape=frame_shape, condition=condition)

    def token_denoiser(
        self, config: BackboneConfig, *, frame_shape: tuple[int, ...], context: int
    ) -> nn.Module:
        return unet_token_denoiser(config, frame_shape=frame_shape, context=context)

    def codec(self, config: CodecConfig) -> FrameCodec:
        if config.name == "identity":
            return IdentityCodec()
        if config.name == "autoencoder":
            return load_autoencoder(config.path)
        raise unknown_name("codec of video", config.name, ["identity", "autoencoder"])


def _check_shape(data: DataConfig) -> None:
    if len(data.frame_shape) != 3 or data.frame_shape[0] not in (1, 3):
        raise InputError(
            f"video has frames of shape (3, H, W) or (1, H, W); data.frame_shape is {data.frame_shape}"
        )
