"""What it saves to code frames once: training steps on latents beside the same steps on frames behind the codec.

    python benchmarks/latents.py --json latents.json
    python benchmarks/latents.py --side 256 --clips 16 --frames 10 --device cuda   # as VoxCeleb is trained

The method is that of ``diffsda-voxceleb`` and the codec the paper's, an autoencoder of f=8 and 4 channels with vector
quantisation; weights are random, for time does not depend on them. Both trainers see the same clips, drawn by the
same plan, and take turns, so that a busy machine slows both alike; frames lie in memory, so that decoding video does
not count. A frame's operations are counted by torch for the whole step: coding, loss and gradients. Fewer pixels (64 × 64,
the default on a CPU) divide the operations of codec and method alike.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from seqdis.core.analysis.latent_job import FrameBatch, LatentWorker
from seqdis.core.config import RunConfig, apply_overrides
from seqdis.core.data.clip import Clip
from seqdis.core.data.latent_recording import LatentRecording
from seqdis.core.data.latent_shard import write_shard
from seqdis.core.data.loader import training_batches
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.recording import Recording
from seqdis.core.registry import get_modality, get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.core.training import Trainer
from seqdis.core.training.devices import make_accelerator
from seqdis.core.training.run_folder import RunFolder

ENDLESS = 10**9
# CompVis latent-diffusion's vq-f8-n256: channels 128 · (1, 2, 2, 4), two blocks a level, attention at the last.
AUTOENCODER = {
    "block_out_channels": (128, 256, 256, 512),
    "down_block_types": ("DownEncoderBlock2D",) * 3 + ("AttnDownEncoderBlock2D",),
    "up_block_types": ("AttnUpDecoderBlock2D",) + ("UpDecoderBlock2D",) * 3,
    "layers_per_block": 2,
    "latent_channels": 4,
    "num_vq_embeddings": 256,
    "vq_embed_dim": 4,
    "norm_num_groups": 32,
}


def save_autoencoder(folder: Path) -> Path:
    """The paper's autoencoder with random weights."""
    from diffusers import VQModel

    VQModel(**AUTOENCODER).eval().save_pretrained(folder)
    return folder


class Contestant:
    """One trainer on one kind of recordings."""

    def __init__(self, config: RunConfig, recordings: list[Recording], *, device: str, scratch: Path) -> None:
        data = RandomWindows(
            recordings, config.data.length, pick=config.data.pick, repeats=config.data.repeats
        )
        accelerator = make_accelerator(config.train, device)
        self.trainer = Trainer(
            config, RunFolder(scratch), train_set=data, val_set=None, accelerator=accelerator
        )
        self.batches = training_batches(data, self.trainer.plan, start=0, stop=ENDLESS)
        self.seconds: list[float] = []
        self.done = 0

    def step(self) -> None:
        """Take one step, and wait for it."""
        self.done += 1
        self.trainer.step(self.done, self.batches)
        if self.trainer.accelerator.device.type == "cuda":
            torch.cuda.synchronize()

    def timed(self) -> float:
        """Seconds of one step."""
        began = time.perf_counter()
        self.step()
        return time.perf_counter() - began


def operations(run: Callable[[], object]) -> float:
    """Floating-point operations of a call in units of 10⁹; a multiplication and an addition are two."""
    with FlopCounterMode(display=False) as counter:
        run()
    return counter.get_total_flops() / 1e9


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cuda = torch.cuda.is_available()
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--side", type=int, default=256 if cuda else 64, help="pixels of a side")
    parser.add_argument("--clips", type=int, default=16 if cuda else 2, help="clips a step")
    parser.add_argument("--frames", type=int, default=10 if cuda else 2, help="frames of a clip in a step")
    parser.add_argument("--turns", type=int, default=20 if cuda else 5, help="steps of each that are timed")
    parser.add_argument("--device", default="cuda" if cuda else "cpu")
    options = parser.parse_args()
    generator = torch.Generator().manual_seed(0)
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        words = [f"data.frame_shape=[3,{options.side},{options.side}]", f"data.length={options.frames}"]
        words += [f"train.batch_size={options.clips}", f"codec.path={save_autoencoder(scratch / 'codec')}"]
        config = apply_overrides(get_preset("diffsda-voxceleb"), [*words, f"train.steps={ENDLESS}"])
        shape = (2 * options.frames, *config.data.frame_shape)
        clips = [
            Clip(torch.randint(0, 256, shape, dtype=torch.uint8, generator=generator), f"{i}")
            for i in range(options.clips)
        ]
        print("coding the clips once", file=sys.stderr, flush=True)
        worker = LatentWorker(get_modality("video").codec(config.codec).to(options.device))
        coded = [worker.compute(0, FrameBatch(clip)).clip for clip in clips]
        path = scratch / "000000.safetensors"
        write_shard(path, [clip for clip in coded if clip is not None])
        latents = [
            LatentRecording(
                key=clip.key,
                path=path,
                first=i * clip.steps,
                count=clip.steps,
                latent_shape=coded[i].frame_shape,
            )
            for i, clip in enumerate(clips)
        ]
        print("fitting the normalisers", file=sys.stderr, flush=True)
        on_frames = Contestant(config, list(clips), device=options.device, scratch=scratch / "frames")
        on_latents = Contestant(config, list(latents), device=options.device, scratch=scratch / "latents")
        count = options.clips * options.frames
        flops = {one: operations(one.step) / count for one in (on_frames, on_latents)}  # these warm up
        for turn in range(options.turns):
            print(f"turn {turn + 1} of {options.turns}", file=sys.stderr, flush=True)
            for one in (on_frames, on_latents):
                one.seconds.append(one.timed())
        pairs = [a / b for a, b in zip(on_frames.seconds, on_latents.seconds, strict=True)]
    case = f"diffsda-voxceleb at {options.side}×{options.side}, {options.clips} × {options.frames} frames, on latents beside frames"
    ours, peer = (count / statistics.median(one.seconds) for one in (on_latents, on_frames))
    rows = [
        BenchmarkRow(case=case, unit="gflop_per_frame", ours=flops[on_latents], peer=flops[on_frames]),
        BenchmarkRow(case=case, unit="frames_per_s", ours=ours, peer=peer),
        BenchmarkRow(
            case=f"{case}, median of the pairs", unit="times_as_fast", ours=statistics.median(pairs)
        ),
    ]
    saved = flops[on_frames] - flops[on_latents]
    print(
        f"a frame costs {flops[on_frames]:.1f} GFLOP, {saved:.1f} of them ({saved / flops[on_frames]:.0%}) for coding"
    )
    print(
        f"{ours:.2f} frames/s on latents, {peer:.2f} on frames: {statistics.median(pairs):.2f} times as fast"
    )
    print("pairs: " + ", ".join(f"{pair:.2f}" for pair in pairs))
    if options.json:
        benchmark_record(rows, device=device_name(options.device)).save(options.json)


if __name__ == "__main__":
    main()
