"""Rates that decide how long a large set takes to encode, and what follows from them for one of a million clips.

    python benchmarks/encoding.py --json encoding.json
    python benchmarks/encoding.py --tflops 50 100 200 --gpus 1 8 64      # the tables of docs/scale.md

Measured here: GFLOP a frame of the network in front and of the model (counted, not timed), processor time to decode and
resize a frame of video, processor time and bytes to write a shard, bytes of a sequence. Time is that of the processor,
which a busy machine does not stretch. Assumed, and given by options: how many clips there are and how long they are, the
cores beside a GPU, and the rate at which a GPU computes in practice.
"""

from __future__ import annotations

import argparse
import math
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode

from seqdis.core.analysis.encode_job import MOST_FILES_A_SHARD
from seqdis.core.analysis.file_windows import FileWindows
from seqdis.core.config import RunConfig
from seqdis.core.data.normalize import Normalizer
from seqdis.core.factors import Factors
from seqdis.core.registry import get_method, get_modality, get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.core.sequences import Sequences

LEVELS, CHANNELS = 4, (128, 256, 512, 512)
"""The autoencoder of latent diffusion with 8 times smaller pictures, four channels each."""

CLIPS = 4


@dataclass(frozen=True)
class Measured:
    """What one machine shows.

    Attributes:
        codec_gflop: Work of the autoencoder's encoder, a frame.
        model_gflop: Work of the model's own encoder, a frame.
        decode_ms: Processor time to decode and resize a frame.
        write_ms: Processor time to write the factors of a sequence, in shards.
        sequence_bytes: Size of a sequence's factors on the disk.
        latent_bytes: Size of a frame's latents in float16.
        model_bytes: Size of all weights in float32.
    """

    codec_gflop: float
    model_gflop: float
    decode_ms: float
    write_ms: float
    sequence_bytes: float
    latent_bytes: int
    model_bytes: int


@dataclass(frozen=True)
class Assumed:
    """What the set and the cluster are taken to be.

    Attributes:
        clips: Number of clips.
        seconds: Mean length of a clip.
        native_fps: Frames a second in the files, all of which are decoded.
        fps: Frames a second that are encoded.
        cores: Cores beside a GPU that decode.
    """

    clips: int
    seconds: float
    native_fps: float
    fps: float
    cores: int


def measure(config: RunConfig, seconds: float) -> Measured:
    """Count and time what encoding a video by the preset's model takes."""
    from diffusers import AutoencoderKL

    from seqdis.video.codecs import AutoencoderCodec

    autoencoder = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * LEVELS,
        up_block_types=("UpDecoderBlock2D",) * LEVELS,
        block_out_channels=CHANNELS,
        layers_per_block=2,
        latent_channels=4,
    )
    codec = AutoencoderCodec(autoencoder)
    shape = codec.latent_shape(config.data.frame_shape)
    modality = get_modality(config.modality)
    model = get_method(config.method).from_config(
        config.model,
        modality=modality,
        frame_shape=config.data.frame_shape,
        codec=codec,
        normalizer=Normalizer(shape, scope=config.data.normalize),
    )
    weights = sum(p.numel() for p in model.parameters())
    model = model.to("meta")  # shapes are enough to count
    frames = torch.zeros(1, config.data.length, *config.data.frame_shape, device="meta")
    whole, front = FlopCounterMode(display=False), FlopCounterMode(display=False)
    with torch.no_grad(), front:
        codec.encode(frames[0])
    with torch.no_grad(), whole:
        factors = model._encode(Sequences(frames), generator=None)
    codec_gflop = front.get_total_flops() / config.data.length / 1e9
    written = _write(factors)
    return Measured(
        codec_gflop=codec_gflop,
        model_gflop=whole.get_total_flops() / config.data.length / 1e9 - codec_gflop,
        decode_ms=_decode(config, seconds),
        write_ms=written.milliseconds,
        sequence_bytes=written.size,
        latent_bytes=2 * math.prod(shape),
        model_bytes=4 * weights,
    )


def _decode(config: RunConfig, seconds: float) -> float:
    """Processor time in ms a frame, to decode drawn clips and cut them into the windows that are encoded."""
    modality, side = get_modality(config.modality), config.data.frame_shape[-1]
    native = config.data.model_copy(update={"options": config.data.options | {"fps": 25.0}})
    count = round(25 * seconds)
    grid, g = torch.linspace(0, 6.28, side), torch.Generator().manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{i}.mp4" for i in range(CLIPS)]
        for number, path in enumerate(paths):
            shift = torch.arange(count)[:, None, None] / (9 + number)
            grey = (torch.sin(grid * 5 + shift) * torch.cos(grid[:, None] * 3 - shift) + 1) / 2
            noise = 0.05 * torch.rand(count, side, side, generator=g)
            modality.write(
                path, (grey + noise).clamp(0, 1)[:, None].expand(-1, 3, -1, -1).contiguous(), native
            )
        windows = FileWindows(modality, config.data, Path(folder))
        begun = time.process_time()
        frames = sum(
            len(batch.sequences) * config.data.length
            for batch in windows.batches(paths)
            if batch.sequences is not None
        )
        return (time.process_time() - begun) / frames * 1000


@dataclass(frozen=True)
class _Written:
    milliseconds: float
    size: float


def _write(like: Factors) -> _Written:
    """Processor time and bytes of a sequence, to write a shard of them."""
    count = 2048
    static, dynamic = torch.randn(count, *like.static.shape[1:]), torch.randn(count, *like.dynamic.shape[1:])
    factors = Factors(static, dynamic, keys=[f"id{i:05d}/video-name/{i:05d}.mp4@{i}" for i in range(count)])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "shard.safetensors"
        begun = time.process_time()
        factors.save(path)
        Factors.load(path)
        taken = time.process_time() - begun
        return _Written(1000 * taken / count, path.stat().st_size / count)


def _hours(seconds: float) -> str:
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} d"


def _gigabytes(size: float) -> str:
    return f"{size / 1e9:.0f} GB" if size >= 1e10 else f"{size / 1e9:.1f} GB"


def tables(measured: Measured, assumed: Assumed, length: int, tflops: list[float], gpus: list[int]) -> str:
    """The tables of docs/scale.md."""
    frames = assumed.clips * assumed.seconds * assumed.fps
    native = assumed.clips * assumed.seconds * assumed.native_fps
    sequences = frames / length
    shards = -(-assumed.clips // MOST_FILES_A_SHARD)
    gflop = measured.codec_gflop + measured.model_gflop
    lines = [
        f"{assumed.clips:,} clips of {assumed.seconds} s: {frames / 1e6:.1f} million frames to encode, "
        f"{native / 1e6:.0f} million to decode, {sequences / 1e6:.1f} million sequences, {shards:,} shards.",
        "",
        "| GPUs | decoding | " + " | ".join(f"encoding at {rate:g} TFLOP/s" for rate in tflops) + " |",
        "|---|---|" + "---|" * len(tflops),
    ]
    for count in gpus:
        decoding = native * measured.decode_ms / 1000 / (count * assumed.cores)
        computing = [frames * gflop / 1000 / (rate * count) for rate in tflops]
        lines.append(f"| {count} | {_hours(decoding)} | " + " | ".join(map(_hours, computing)) + " |")
    lines += [
        "",
        "| on the disk | |",
        "|---|---|",
        f"| factors | {_gigabytes(sequences * measured.sequence_bytes)} |",
        f"| latents in float16 | {_gigabytes(frames * measured.latent_bytes)} |",
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--preset", default="diffsda-voxceleb")
    parser.add_argument("--clips", type=int, default=1_128_246, help="VoxCeleb 2: 1,092,009 and 36,237")
    parser.add_argument("--seconds", type=float, default=7.8, help="of a clip: VoxCeleb 2 has 2,442 hours")
    parser.add_argument("--native-fps", type=float, default=25.0)
    parser.add_argument("--fps", type=float, default=25.0, help="frames a second that are encoded")
    parser.add_argument("--cores", type=int, default=8, help="beside a GPU")
    parser.add_argument(
        "--tflops", type=float, nargs="+", default=[50.0, 100.0, 200.0], help="of a GPU in practice"
    )
    parser.add_argument("--gpus", type=int, nargs="+", default=[1, 8, 64])
    options = parser.parse_args()
    torch.set_num_threads(1)
    config = get_preset(options.preset)
    measured = measure(config, options.seconds)
    assumed = Assumed(options.clips, options.seconds, options.native_fps, options.fps, options.cores)
    print(measured)
    print(tables(measured, assumed, config.data.length, options.tflops, options.gpus))
    rows = [
        BenchmarkRow(
            case=f"{options.preset}, autoencoder in front, a frame", unit="gflop", ours=measured.codec_gflop
        ),
        BenchmarkRow(case=f"{options.preset}, encoder, a frame", unit="gflop", ours=measured.model_gflop),
        BenchmarkRow(case="decode and resize a frame of video, one core", unit="ms", ours=measured.decode_ms),
        BenchmarkRow(
            case="write and read a sequence's factors in a shard", unit="ms", ours=measured.write_ms
        ),
        BenchmarkRow(case="a sequence's factors on the disk", unit="bytes", ours=measured.sequence_bytes),
        BenchmarkRow(case="latents of a frame, float16", unit="bytes", ours=measured.latent_bytes),
        BenchmarkRow(case="all weights, float32", unit="bytes", ours=measured.model_bytes),
    ]
    record = benchmark_record(rows, device=device_name())
    if options.json:
        record.save(options.json)


if __name__ == "__main__":
    main()
