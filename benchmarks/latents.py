"""The gain of coding frames once: training steps on latents beside the same steps on frames behind the codec.

    python benchmarks/latents.py --json latents.json
    python benchmarks/latents.py --side 256 --narrow 1 --clips 16 --device cuda    # as VoxCeleb is trained

The method is that of ``diffsda-voxceleb`` and the codec the paper's, an autoencoder of f=8 and 4 channels with vector
quantisation; weights are random, for time does not depend on them. Operations of a step (coding, loss, gradients) are
counted by torch at the real size, without computing anything. What is timed is smaller on a CPU: fewer pixels, and the
channels of codec and method divided by the same number, which keeps the proportion. Both trainers see the same clips in the same
order, and take turns, so that a busy machine slows both alike; frames lie in memory, so that decoding video does not count.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from seqdis.core.analysis.latent_job import FrameBatch, LatentWorker
from seqdis.core.config import RunConfig, change_config
from seqdis.core.data.clip import Clip
from seqdis.core.data.latent_recording import LatentRecording
from seqdis.core.data.latent_shard import write_shard
from seqdis.core.data.loader import training_batches
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.recording import Recording
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import get_modality, get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.core.sequences import Sequences
from seqdis.core.training import Trainer
from seqdis.core.training.devices import make_accelerator
from seqdis.core.training.run_folder import RunFolder

PRESET, ENDLESS = "diffsda-voxceleb", 10**9


def save_autoencoder(folder: Path, *, narrow: int) -> Path:
    """CompVis latent-diffusion's vq-f8-n256 with random weights, its channels divided by ``narrow``."""
    from diffusers import VQModel

    sizes: dict[str, Any] = {
        "block_out_channels": tuple(channels // narrow for channels in (128, 256, 256, 512)),
        "down_block_types": ("DownEncoderBlock2D",) * 3 + ("AttnDownEncoderBlock2D",),
        "up_block_types": ("AttnUpDecoderBlock2D",) + ("UpDecoderBlock2D",) * 3,
        "layers_per_block": 2,
        "latent_channels": 4,
        "num_vq_embeddings": 256,
        "vq_embed_dim": 4,
        "norm_num_groups": 32,
    }
    VQModel(**sizes).eval().save_pretrained(folder)
    return folder


def configured(codec: Path, *, side: int, narrow: int, clips: int, frames: int) -> RunConfig:
    """The preset behind this codec, with pictures of this side and channels divided by ``narrow``."""
    preset = get_preset(PRESET)
    model: Any = preset.model
    changes: dict[str, Any] = {
        "codec.path": str(codec),
        "data.frame_shape": (3, side, side),
        "data.length": frames,
        "train.batch_size": clips,
        "train.steps": ENDLESS,
        "model.encoder.channels": model.encoder.channels // narrow,
        "model.denoiser.channels": model.denoiser.channels // narrow,
        "model.hidden_dim": model.hidden_dim // narrow,
        "model.static_dim": model.static_dim // narrow,
    }
    return change_config(preset, changes)


def count_operations(config: RunConfig) -> tuple[float, float]:
    """Operations a frame in units of 10⁹, of a step on frames and of one on latents; a multiply-add is two."""
    model, counts = build_model(config), []
    for coded in (False, True):
        shape = model.codec.latent_shape(model.frame_shape) if coded else model.frame_shape
        with FakeTensorMode(allow_non_fake_inputs=True), FlopCounterMode(display=False) as counter:
            batch = Sequences(torch.rand(1, config.data.length, *shape), coded=coded)
            model.loss(batch, generator=GeneratorStack.shard(0, 1, slice(0, 1))).loss.backward()
        counts.append(counter.get_total_flops() / config.data.length / 1e9)
    return counts[0], counts[1]


class Contestant:
    """A trainer on one kind of recordings."""

    def __init__(self, config: RunConfig, recordings: list[Recording], *, device: str, scratch: Path) -> None:
        data = RandomWindows(recordings, config.data.length, pick=config.data.pick, repeats=1)
        accelerator = make_accelerator(config.train, device)
        self.trainer = Trainer(
            config, RunFolder(scratch), train_set=data, val_set=None, accelerator=accelerator
        )
        self.batches = training_batches(data, self.trainer.plan, start=0, stop=ENDLESS)
        self.done = 0

    def seconds(self) -> float:
        """Seconds of the next step."""
        self.done += 1
        began = time.perf_counter()
        self.trainer.step(self.done, self.batches)
        if self.trainer.accelerator.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter() - began


@dataclass(frozen=True)
class Pair:
    """Seconds of a step on frames and of the same step on latents."""

    frames: float
    latents: float


def take_turns(config: RunConfig, *, turns: int, device: str, scratch: Path) -> Iterator[Pair]:
    """Steps of two trainers in turn; the first of each warms up and does not count."""
    generator = torch.Generator().manual_seed(0)
    shape = (2 * config.data.length, *config.data.frame_shape)
    clips = [
        Clip(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator), f"{i}")
        for i in range(config.train.batch_size)
    ]
    worker = LatentWorker(get_modality("video").codec(config.codec).to(device))
    coded = [clip for one in clips if (clip := worker.compute(0, FrameBatch(one)).clip) is not None]
    path = scratch / "000000.safetensors"
    write_shard(path, coded)
    latents: list[Recording] = [
        LatentRecording(
            key=clip.key, path=path, first=i * clip.steps, count=clip.steps, latent_shape=clip.frame_shape
        )
        for i, clip in enumerate(coded)
    ]
    on_frames = Contestant(config, [*clips], device=device, scratch=scratch / "frames")
    on_latents = Contestant(config, latents, device=device, scratch=scratch / "latents")
    for turn in range(turns + 1):
        pair = Pair(on_frames.seconds(), on_latents.seconds())
        print(f"turn {turn}: {pair.frames:.2f} s, {pair.latents:.2f} s", file=sys.stderr, flush=True)
        if turn:
            yield pair


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cuda = torch.cuda.is_available()
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--side", type=int, default=256 if cuda else 64, help="pixels of a side")
    parser.add_argument("--narrow", type=int, default=1 if cuda else 4, help="what channels are divided by")
    parser.add_argument("--clips", type=int, default=16 if cuda else 4, help="clips a step")
    parser.add_argument("--frames", type=int, default=10, help="frames of a clip in a step")
    parser.add_argument("--turns", type=int, default=9, help="steps of each that are timed")
    parser.add_argument("--device", default="cuda" if cuda else "cpu")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        full = save_autoencoder(scratch / "full", narrow=1)
        real = configured(full, side=256, narrow=1, clips=1, frames=1)
        on_frames, on_latents = count_operations(real)
        share = 1 - on_latents / on_frames
        print(
            f"{PRESET}: {on_frames:.1f} GFLOP a frame, {on_frames - on_latents:.1f} of them ({share:.0%}) for coding"
        )
        small = save_autoencoder(scratch / "codec", narrow=options.narrow)
        config = configured(
            small, side=options.side, narrow=options.narrow, clips=options.clips, frames=options.frames
        )
        pairs = list(take_turns(config, turns=options.turns, device=options.device, scratch=scratch))
    count = options.clips * options.frames
    ours, peer = (
        count / statistics.median(getattr(pair, kind) for pair in pairs) for kind in ("latents", "frames")
    )
    ratios = [pair.frames / pair.latents for pair in pairs]
    case = f"a step on latents beside one on frames, {options.side}×{options.side}, channels / {options.narrow}, "
    case += f"{options.clips} × {options.frames} frames"
    rows = [
        BenchmarkRow(
            case=f"{PRESET}, a frame of a training step on latents, beside one behind the codec",
            unit="gflop",
            ours=on_latents,
            peer=on_frames,
        ),
        BenchmarkRow(case=case, unit="frames_per_s", ours=ours, peer=peer),
        BenchmarkRow(
            case=f"{case}, median of {len(ratios)} pairs",
            unit="times_as_fast",
            ours=statistics.median(ratios),
        ),
        BenchmarkRow(case=f"{case}, least of the pairs", unit="times_as_fast", ours=min(ratios)),
        BenchmarkRow(case=f"{case}, greatest of the pairs", unit="times_as_fast", ours=max(ratios)),
    ]
    print(f"{case}: {ours:.2f} and {peer:.2f} frames/s, {statistics.median(ratios):.2f} times as fast")
    if options.json:
        benchmark_record(rows, device=device_name(options.device)).save(options.json)


if __name__ == "__main__":
    main()
