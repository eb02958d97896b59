"""The sound of the clip that lends the dynamics, in the video that is written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from tests.video.encoding import encode, moving

from seqdis.core.config import DataConfig
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.video import VideoModality
from seqdis.video.options import VideoOptions
from seqdis.video.playback import playback_of

Make = Callable[..., DataConfig]
VIDEO = VideoModality()
CASE = Path(__file__).parents[1] / "cases" / "01-video-with-audio-track" / "04_portrait_audio.mp4"


def _packets(path: Path) -> list[tuple[float, bytes]]:
    """The middle of each packet of sound, in s, and what it holds."""
    with av.open(str(path)) as container:
        track = container.streams.audio[0]
        packets = [p for p in container.demux(track) if p.size]
        return [(float((p.pts + p.duration / 2) * track.time_base), bytes(p)) for p in packets]


@pytest.mark.parametrize(("start", "steps"), [(0, 60), (0, 24), (30, 24), (36, 24)])
def test_the_stretch_of_sound_is_copied_bit_by_bit(
    tmp_path: Path, data_config: Make, start: int, steps: int
) -> None:
    data = data_config(size=32)
    frames = torch.rand(steps, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    VIDEO.write(tmp_path / "c.mp4", frames, data, source=DynamicsSource(CASE, start))
    first, last = start / 60, (start + steps) / 60
    expected = [(time, data) for time, data in _packets(CASE) if first <= time < last]
    written = _packets(tmp_path / "c.mp4")
    assert [content for _, content in written] == [content for _, content in expected]
    shift = [was - now for (now, _), (was, _) in zip(written, expected, strict=True)]
    assert np.allclose(shift, first, atol=0.001)
    with av.open(str(tmp_path / "c.mp4")) as container:
        assert container.streams.video[0].average_rate == 60
        assert sum(1 for _ in container.decode(video=0)) == steps
        heard = np.concatenate([frame.to_ndarray() for frame in _decoded_sound(tmp_path / "c.mp4")], axis=1)
    assert heard.shape[1] / 44100 == pytest.approx(steps / 60, abs=0.06)


def _decoded_sound(path: Path) -> list[av.AudioFrame]:
    with av.open(str(path)) as container:
        return list(container.decode(audio=0))


def test_the_same_swap_gives_the_same_file(tmp_path: Path, data_config: Make) -> None:
    frames = torch.rand(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for name in ("a.mp4", "b.mp4"):
        VIDEO.write(tmp_path / name, frames, data_config(size=32), source=DynamicsSource(CASE, 3))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_sampling_in_time_keeps_pictures_and_sound_together(tmp_path: Path, data_config: Make) -> None:
    data = data_config(size=32, fps=12, stride=2)  # 6 frames a second
    VIDEO.write(tmp_path / "c.mp4", torch.rand(3, 3, 32, 32), data, source=DynamicsSource(CASE, 3))
    written = _packets(tmp_path / "c.mp4")
    assert written[0][1] == next(content for time, content in _packets(CASE) if time >= 0.5)
    with av.open(str(tmp_path / "c.mp4")) as container:
        assert container.streams.video[0].average_rate == 6
        assert container.duration / av.time_base == pytest.approx(0.5, abs=0.03)


def test_another_rate_is_silent(tmp_path: Path, data_config: Make) -> None:
    data = data_config(size=32, output_fps=8)
    VIDEO.write(tmp_path / "c.mp4", torch.rand(8, 3, 32, 32), data, source=DynamicsSource(CASE))
    with av.open(str(tmp_path / "c.mp4")) as container:
        assert not container.streams.audio
        assert container.streams.video[0].average_rate == 8


def test_sound_that_a_format_cannot_hold_is_left_out_and_said(
    tmp_path: Path, data_config: Make, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        VIDEO.write(
            tmp_path / "c.webm", torch.rand(6, 3, 32, 32), data_config(size=32), source=DynamicsSource(CASE)
        )
    assert "its sound (aac) is left out: webm cannot hold it" in caplog.text
    with av.open(str(tmp_path / "c.webm")) as container:
        assert not container.streams.audio
        assert sum(1 for _ in container.decode(video=0)) == 6


@pytest.mark.parametrize("suffix", [".gif", ".png", ""])
def test_kinds_without_sound_are_written_all_the_same(tmp_path: Path, data_config: Make, suffix: str) -> None:
    path = tmp_path / f"c{suffix}"
    VIDEO.write(path, torch.rand(6, 3, 32, 32), data_config(size=32), source=DynamicsSource(CASE))
    assert path.exists()


def test_the_rate_is_that_of_the_source(tmp_path: Path) -> None:
    silent = encode(tmp_path / "c.mp4", moving(20), rate=25)
    source = DynamicsSource(silent)
    assert playback_of(VideoOptions(), source, steps=8).fps == pytest.approx(25)
    assert playback_of(VideoOptions(stride=2), source, steps=8).fps == pytest.approx(12.5)
    assert playback_of(VideoOptions(fps=10), source, steps=8).fps == pytest.approx(10)
    assert playback_of(VideoOptions(output_fps=6), source, steps=8).fps == 6
    assert playback_of(VideoOptions(), None, steps=8).fps == 8
    assert playback_of(VideoOptions(fps=10, stride=2), None, steps=8).fps == 5
    uneven = encode(tmp_path / "v.mp4", moving(5), times=[0, 10, 20, 60, 100])
    assert playback_of(VideoOptions(), DynamicsSource(uneven, 1), steps=3).fps == pytest.approx(3 / 0.9)
