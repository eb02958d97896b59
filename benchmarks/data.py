"""Reading video while training: clips a second, share of waiting, and memory.

    python benchmarks/data.py --json data.json                                   # 40 clips, a few minutes
    python benchmarks/data.py --clips 500 --folder /tmp/clips --json data.json   # 29 GB of pixels

Clips of moving patterns are written to a folder (and found there again). Batches of random windows are then read
from it as a training reads them, between steps of a fixed cost, which a GPU would take; ``peer`` is decoding each
clip whole for its window, and torchcodec alone, without sampling, labels or batches. A small set is read again and
again; ``peer`` is one that lies in memory. Each case has a process of its own.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import shutil
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from timing.memory import watch_memory

from seqdis.core.config import DataConfig
from seqdis.core.data.folder import folder_sequences
from seqdis.core.data.loader import BatchPlan, training_batches
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.registry import get_modality
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name

LENGTH, SIDE, BATCH = 15, 64, 16
ENDLESS = 10**9
CASES = ("speed", "steps", "small")
DIFFERENT = 20
"""Clips that are encoded anew."""


def write_clip(path: Path, *, frames: int, side: int, seed: int) -> None:
    """One H.264 clip of moving patterns, with a key frame every 250 frames, as encoders have it by default."""
    generator = np.random.default_rng(seed)
    low = generator.integers(0, 256, (side // 16, side // 16, 3), dtype=np.uint8)
    picture = low.repeat(16, 0).repeat(16, 1)
    partial = path.with_name(f"partial-{path.name}")
    with av.open(str(partial), "w") as container:
        stream: Any = container.add_stream(
            "libx264", rate=25, options={"preset": "ultrafast", "threads": "1"}
        )
        stream.height, stream.width, stream.pix_fmt = side, side, "yuv420p"
        for number in range(frames):
            moved = np.roll(picture, (number, 2 * number), (0, 1))
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(moved), format="rgb24"))
            )
        container.mux(stream.encode())
    partial.rename(path)


def write_clips(folder: Path, *, clips: int, frames: int, side: int) -> None:
    """The clips that the folder does not hold yet: the first ones are encoded, the others copies of them."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{seed:05d}.mp4" for seed in range(clips)]
    for seed, path in enumerate(paths):
        if not path.exists() and seed < DIFFERENT:
            write_clip(path, frames=frames, side=side, seed=seed)
        elif not path.exists():
            shutil.copyfile(paths[seed % DIFFERENT], path)


def data_config(side: int = SIDE) -> DataConfig:
    """Windows of 15 frames of 64×64."""
    return DataConfig(dataset="folder", length=LENGTH, frame_shape=(3, side, side))


def read_while_training(
    folder: Path, *, steps: int, cost: float, workers: int, whole: bool = False
) -> dict[str, float]:
    """Batches between steps of a fixed cost: clips a second, share of waiting, and the largest memory.

    Args:
        folder: The folder of clips.
        steps: Number of steps that count; those before, as many as batches are read ahead, do not.
        cost: Seconds of a step.
        workers: Processes that read ahead.
        whole: Whether each window's clip is decoded whole.
    """
    torch.set_num_threads(1)
    # As in a training that a command starts: its processes share what it holds already.
    multiprocessing.set_start_method("fork", force=True)
    with watch_memory() as memory:
        began = time.perf_counter()
        dataset = folder_sequences(get_modality("video"), data_config(), "train", folder)
        opened = time.perf_counter() - began
        if whole:
            _decode_whole_clips(dataset)
        plan = BatchPlan(len(dataset), BATCH)
        batches = training_batches(dataset, plan, start=0, stop=ENDLESS, workers=workers)
        ahead = 2 * max(1, workers)
        for _ in itertools.islice(batches, ahead):
            time.sleep(cost)
        waited, first, computed = 0.0, time.perf_counter(), time.process_time()
        for _ in range(steps):
            asked = time.perf_counter()
            next(batches)
            waited += time.perf_counter() - asked
            time.sleep(cost)
        taken, computed = time.perf_counter() - first, time.process_time() - computed
        batches.close()
    return {
        "clips_per_s": steps * BATCH / taken,
        "waiting": waited / taken,
        "bytes": float(memory.bytes),
        "opening": opened,
        "cpu": computed / steps,
    }


def _decode_whole_clips(dataset: Any) -> None:
    """Let every window be cut from a clip that is decoded whole, and keep nothing."""
    from seqdis.video.frame_cache import FRAMES
    from seqdis.video.video_recording import VideoRecording

    take = VideoRecording.take

    def take_whole(self: VideoRecording, steps: torch.Tensor) -> Any:
        FRAMES.clear()
        return take(self, torch.arange(self.steps)).take(steps)

    VideoRecording.take = take_whole  # type: ignore[method-assign]


def torchcodec_alone(folder: Path, *, seconds: float) -> float | None:
    """Windows a second by torchcodec, resized; None where it does not load."""
    try:
        from torchcodec.decoders import VideoDecoder
    except (ImportError, RuntimeError, OSError) as error:
        print(f"torchcodec is left out: {str(error).splitlines()[0]}", flush=True)
        return None
    torch.set_num_threads(1)
    paths = sorted(folder.glob("*.mp4"))
    generator = np.random.default_rng(0)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        decoder = VideoDecoder(str(paths[generator.integers(len(paths))]), num_ffmpeg_threads=1)
        start = int(generator.integers(decoder.metadata.num_frames - LENGTH + 1))
        frames = decoder.get_frames_in_range(start, start + LENGTH).data
        torch.nn.functional.interpolate(frames.float(), (SIDE, SIDE), mode="bicubic", antialias=True)
        count += 1
    return count / (time.perf_counter() - began)


def small_set(folder: Path, *, epochs: int, in_memory: bool) -> dict[str, float]:
    """Seconds of a few epochs over a small folder, opening included, or of its frames held in memory."""
    torch.set_num_threads(1)
    began = time.perf_counter()
    dataset: Any = folder_sequences(get_modality("video"), data_config(), "train", folder)
    if in_memory:
        recordings = dataset.recordings()
        dataset = RandomWindows([recordings.read(i) for i in range(recordings.count)], LENGTH)
    plan = BatchPlan(len(dataset), BATCH)
    for _ in training_batches(dataset, plan, start=0, stop=epochs * plan.steps_per_epoch):
        pass
    return {"seconds": time.perf_counter() - began}


def alone(function: Any, *args: Any, **kwargs: Any) -> Any:
    """Call a function in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--folder", type=Path, help="folder of the clips, kept; a temporary one when omitted")
    parser.add_argument("--clips", type=int, default=40)
    parser.add_argument("--frames", type=int, default=300)
    parser.add_argument("--side", type=int, default=256, help="height and width of the clips, in pixels")
    parser.add_argument("--steps", type=int, default=30, help="steps that count")
    parser.add_argument("--cost", type=float, default=0.5, help="seconds of a step")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=30, help="of the small set")
    parser.add_argument("--only", nargs="+", choices=CASES, default=CASES, help="some of the cases")
    options = parser.parse_args()
    rows: list[BenchmarkRow] = []

    def add(case: str, unit: str, ours: float, peer: float | None = None) -> None:
        rows.append(BenchmarkRow(case=case, unit=unit, ours=ours, peer=peer))
        beside = "" if rows[-1].ratio is None else f"   × {rows[-1].ratio:.2f}"
        print(f"{case:76} {unit:14} {ours:14.4g}{beside}", flush=True)

    with tempfile.TemporaryDirectory() as scratch:
        folder = options.folder or Path(scratch) / "clips"
        write_clips(folder, clips=options.clips, frames=options.frames, side=options.side)
        name = f"{options.clips} clips × {options.frames} frames at {options.side}²"
        add(f"{name}, decoded", "bytes", float(options.clips * options.frames * options.side**2 * 3))
        if "speed" in options.only:
            ours = alone(read_while_training, folder, steps=8, cost=0.0, workers=0)
            whole = alone(read_while_training, folder, steps=1, cost=0.0, workers=0, whole=True)
            flat_out = ours["clips_per_s"]
            add(
                f"{name}, without a pause, against whole clips", "clips_per_s", flat_out, whole["clips_per_s"]
            )
            # Unlike the clock, this does not depend on who else computes on the machine.
            add(f"{name}, a batch of {BATCH}, against whole clips", "cpu_s", ours["cpu"], whole["cpu"])
            add(f"{name}, opened", "s", ours["opening"])
            codec = alone(torchcodec_alone, folder, seconds=8.0)
            if codec is not None:
                add(f"{name}, without a pause, against torchcodec alone", "clips_per_s", flat_out, codec)
        for workers in options.workers if "steps" in options.only else ():
            read = alone(read_while_training, folder, steps=options.steps, cost=options.cost, workers=workers)
            case = f"{name}, steps of {options.cost} s, {workers} workers"
            add(case, "clips_per_s", read["clips_per_s"])
            add(case, "waiting_share", read["waiting"])
            add(case, "peak_bytes", read["bytes"])
        if "small" in options.only:
            small = Path(scratch) / "small"
            write_clips(small, clips=64, frames=30, side=64)
            held, lazy = (
                alone(small_set, small, epochs=options.epochs, in_memory=kind)["seconds"]
                for kind in (True, False)
            )
            add(
                f"64 clips × 30 frames at 64², {options.epochs} epochs, against frames in memory",
                "s",
                lazy,
                held,
            )
    if options.json:
        benchmark_record(rows, device=device_name("cpu")).save(options.json)


if __name__ == "__main__":
    main()
