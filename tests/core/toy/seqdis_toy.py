"""A modality of eight-dimensional vectors, for core's tests: core must work without the others.

Its dist-info folder beside it is what an installed package would have, so that the registry finds
it by entry point, in this process and in those that a test starts.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from seqdis.core.codec import FrameCodec
from seqdis.core.config import CodecConfig, Config, DataConfig, RunConfig, TrainConfig, parse_config
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.clip import Clip
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.data.file_preparation import FilePreparation
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.errors import InputError
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.modality import DatasetSpec, Modality, Panel
from seqdis.core.nn.backbones import BackboneConfig

FRAME, LENGTH = 8, 6
LABELS = {
    "level": Label(("low", "middle", "high"), "static"),
    "path": Label(("rise", "fall"), "dynamic"),
}


def toy_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """A level held by four channels, a rising or falling ramp in the other four, and a little noise."""
    count = {"train": 96, "val": 24, "test": 48}[split]
    g = torch.Generator().manual_seed(1000 * seed + {"train": 0, "val": 1, "test": 2}[split])
    level = torch.randint(3, (count,), generator=g)
    path = torch.randint(2, (count,), generator=g)
    ramp = torch.linspace(-1, 1, data.length) * (1 - 2 * path[:, None]).float()
    x = torch.empty(count, data.length, FRAME)
    x[..., :4] = (level - 1)[:, None, None].float()
    x[..., 4:] = ramp[..., None]
    x += 0.05 * torch.randn(x.shape, generator=g)
    return ArraySequences(x, labels=LABELS, label_values={"level": level, "path": path})


def toy() -> RunConfig:
    """Ramps, with networks that train in a second."""
    return _base(preset="toy", dataset="ramps")


def toy_folder() -> RunConfig:
    """The same on a folder of npy files."""
    return _base(preset="toy-folder", dataset="folder")


def _base(*, preset: str, dataset: str) -> RunConfig:
    backbone = BackboneConfig(kind="mlp", channels=32, multipliers=(1, 1))
    return RunConfig(
        preset=preset,
        modality="toy",
        method="diffsda",
        data=DataConfig(dataset=dataset, length=LENGTH, frame_shape=(FRAME,)),
        model=DiffSDAConfig(
            static_dim=8,
            dynamic_dim=2,
            hidden_dim=16,
            encoder=backbone,
            denoiser=backbone,
            sampler=EDMConfig(steps=8),
        ),
        train=TrainConfig(
            steps=20,
            batch_size=8,
            lr=1e-3,
            warmup_steps=2,
            log_every=5,
            eval_every=10,
            save_every=10,
            ema_decay=0.9,
        ),
    )


class ToyCodec(FrameCodec):
    """A linear map of frames to five numbers, and its pseudo-inverse."""

    frames_coded = 0

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights)

    def latent_shape(self, frame_shape: tuple[int, ...]) -> tuple[int, ...]:
        if frame_shape != (FRAME,):
            raise InputError(f"the toy codec needs frames ({FRAME},); got {frame_shape}")
        return (self.weights.shape[1],)

    def encode(self, frames: Tensor) -> Tensor:
        ToyCodec.frames_coded += len(frames)
        return frames @ self.weights

    def decode(self, latents: Tensor) -> Tensor:
        return latents @ torch.linalg.pinv(self.weights)


class ToyOptions(Config):
    """Every n-th step is kept; a recording of which nothing else is said may kill its process."""

    every: int = Field(2, ge=1)
    deadly: str = ""


@dataclass(frozen=True)
class ToyPreparation(FilePreparation):
    """Fewer steps of a recording, which must not hold the value 666."""

    options: ToyOptions

    def suffix(self, source: Path) -> str:
        return ".npy"

    def prepare(self, source: Path, target: Path) -> Mapping[str, Any]:
        if source.name == self.options.deadly:
            os._exit(3)
        frames = np.load(source, allow_pickle=False)
        target.write_bytes(b"half of it")
        if (frames == 666).any():
            raise InputError(f"{source}: holds the number of the beast")
        np.save(target, frames[:: self.options.every])
        return {"steps": len(frames)}


class ToyModality(Modality):
    name = "toy"
    summary = "vectors for tests"
    reads = (".npy",)
    writes = (".npy",)
    pictures = (".png",)

    def datasets(self) -> Mapping[str, DatasetSpec]:
        return {"ramps": DatasetSpec("ramps", "levels and ramps", LABELS, toy_sequences)}

    def presets(self) -> Mapping[str, Callable[[], RunConfig]]:
        return {"toy": toy, "toy-folder": toy_folder}

    def demo(self) -> str | None:
        return "toy"

    def codec(self, config: CodecConfig) -> FrameCodec:
        if config.name != "linear":
            return super().codec(config)
        return ToyCodec(torch.from_numpy(np.load(f"{config.path}/weights.npy")))

    def preparation(self, options: Mapping[str, Any]) -> ToyPreparation:
        return ToyPreparation(parse_config(ToyOptions, options, where="toy preparation"))

    def read(self, path: Path, data: DataConfig) -> Clip:
        self.check_suffix(path, self.reads, "read")
        try:
            frames = np.load(path, allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise InputError(f"{path}: cannot be read as npy: {error}") from error
        return Clip(torch.from_numpy(frames).float(), path.name)

    def write(
        self, path: Path, frames: Tensor, data: DataConfig, *, source: DynamicsSource | None = None
    ) -> None:
        self.check_suffix(path, self.writes, "write")
        np.save(path, frames.numpy())

    def draw(self, path: Path, grid: Sequence[Sequence[Panel]], data: DataConfig) -> None:
        # Core's own environment has no plotting library: a grey PNG with a pixel a panel, and the shape behind its end.
        self.check_suffix(path, self.pictures, "draw")
        width, height = max(map(len, grid)), len(grid)
        header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
        pixels = zlib.compress((b"\0" + b"\x80" * width) * height)
        chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
        parts = [
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
            for kind, body in chunks
        ]
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts) + str([len(row) for row in grid]).encode())
