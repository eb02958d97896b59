"""The index of a file: which frames make its steps at a rate, and how it is stored."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from tests.video.encoding import encode, every_frame, moving, rendered

from seqdis.video.containers import index_container
from seqdis.video.frame_index import FrameIndex
from seqdis.video.options import VideoOptions
from seqdis.video.video_recording import open_recording


def _index(seconds: list[float], duration: float, repeats: list[int] | None = None) -> FrameIndex:
    count = len(seconds)
    return FrameIndex(
        stamps=np.arange(count),
        seconds=np.array(seconds),
        repeats=np.array(repeats or [1] * count),
        keys=np.zeros(1, dtype=np.int64),
        duration=duration,
        time_base=0.1,
        width=4,
        height=3,
        seekable=True,
        digest="d",
    )


def _shown(index: FrameIndex, fps: float | None, stride: int = 1) -> list[int]:
    numbers: list[int] = index.shown(Path("clip.mp4"), fps=fps, stride=stride).tolist()
    return numbers


def test_a_rate_picks_the_frame_shown_at_each_instant() -> None:
    index = _index([i / 30 for i in range(30)], 1.0)
    assert _shown(index, None) == list(range(30))
    assert _shown(index, 10) == list(range(0, 30, 3))
    assert _shown(index, 10, stride=2) == list(range(0, 30, 6))
    assert _shown(index, 30) == list(range(30))
    assert _shown(index, 60) == [i // 2 for i in range(60)]
    assert _shown(_index([0, 0.2, 0.4], 0.6), 10) == [0, 0, 1, 1, 2, 2]


def test_a_frame_held_for_long_is_repeated() -> None:
    assert _shown(_index([0.0, 0.1, 0.5], 0.6), 10) == [0, 1, 1, 1, 1, 2]
    assert _shown(_index([0.0, 0.1, 0.5], 0.6, repeats=[1, 4, 1]), None) == [0, 1, 1, 1, 1, 2]


def test_a_rate_below_one_a_clip_leaves_its_first_frame() -> None:
    assert _shown(_index([0.0, 0.1], 0.2), 0.5) == [0]


def test_the_mean_rate() -> None:
    assert _index([0, 0.2, 0.4], 0.6).fps == pytest.approx(5)
    assert _index([0, 0, 0], 0.0).fps is None


@pytest.mark.parametrize("fps", [4, 10, 24, 30])
def test_frames_at_a_rate_are_those_of_ffmpeg(tmp_path: Path, fps: int) -> None:
    path = encode(tmp_path / "c.mp4", moving(40), rate=25)
    expected = rendered(path, f"fps={fps}:round=up,format=rgb24")
    frames = open_recording(path, shape=(3, 48, 64), options=VideoOptions(fps=fps)).whole().frames
    count = min(len(frames), len(expected))
    assert abs(len(frames) - len(expected)) <= 1  # they differ on whether the last frame's time is over
    assert np.array_equal(frames[:count].permute(0, 2, 3, 1).numpy(), expected[:count])
    assert len(frames) == math.ceil(40 / 25 * fps)


def test_a_variable_frame_rate_is_sampled_in_time(tmp_path: Path) -> None:
    times = [0, 3, 6, 50, 53, 90, 100, 150]
    path = encode(tmp_path / "c.mp4", moving(8), times=times)
    index = index_container(path)
    assert np.allclose(index.seconds, np.array(times) / 100)
    whole = every_frame(path)
    frames = open_recording(path, shape=(3, 48, 64), options=VideoOptions(fps=10)).whole().frames
    for step, frame in enumerate(frames):
        number = max(n for n, time in enumerate(times) if time <= 10 * step)
        assert np.array_equal(frame.permute(1, 2, 0).numpy(), whole[number]), step
    expected = rendered(path, "fps=10:round=up,format=rgb24")
    count = min(len(frames), len(expected))
    assert count >= 15
    assert np.array_equal(frames[:count].permute(0, 2, 3, 1).numpy(), expected[:count])


def test_an_index_is_stored_and_read_back() -> None:
    index = _index([0.0, 0.1, 0.5], 0.6, repeats=[1, 4, 1])
    again = FrameIndex.from_bytes(index.to_bytes())
    for name in ("stamps", "seconds", "repeats", "keys"):
        assert np.array_equal(getattr(again, name), getattr(index, name))
    for name in ("duration", "time_base", "width", "height", "seekable", "digest"):
        assert getattr(again, name) == getattr(index, name)
    for content in (b"", b"no index", index.to_bytes()[:-40]):
        with pytest.raises(ValueError, match="no index"):
            FrameIndex.from_bytes(content)
