"""torchcodec as the decoder: the same frames as PyAV's, or a reason why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.video.encoding import encode, every_frame, moving
from tests.video.test_containers import ENCODINGS, WAYS

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.video import VideoModality, torchcodec_frames
from seqdis.video.containers import index_container
from seqdis.video.options import VideoOptions
from seqdis.video.torchcodec_frames import decode_by_torchcodec, pick_decoder, torchcodec_problem
from seqdis.video.video_recording import open_recording

needs_torchcodec = pytest.mark.skipif(
    torchcodec_problem() is not None, reason=f"torchcodec does not load: {torchcodec_problem()}"
)


@needs_torchcodec
@pytest.mark.parametrize(
    "name", ["b-frames.mp4", "open-gop.mp4", "open-gop.mkv", "c.webm", "vp8.webm", "c.mov", "fragments.mp4"]
)
def test_frames_are_those_of_the_other_decoder(tmp_path: Path, name: str) -> None:
    codec, options, muxer = ENCODINGS[name]
    pix_fmt = WAYS.get(codec, "yuv420p")
    path = encode(
        tmp_path / name, moving(60), codec, rate=25, gop=12, muxer=muxer, pix_fmt=pix_fmt, **options
    )
    whole, index = every_frame(path), index_container(path)
    for numbers in (np.arange(60), np.array([59]), np.arange(10, 26), np.array([3, 17, 40, 41])):
        decoded = {
            frame.number: np.asarray(frame.image) for frame in decode_by_torchcodec(path, index, numbers)
        }
        assert list(decoded) == numbers.tolist()
        for number, pixels in decoded.items():
            # Both convert colours by FFmpeg, but each by its own build of it.
            assert np.abs(pixels.astype(int) - whole[number]).max() <= 2, number


@needs_torchcodec
@pytest.mark.parametrize("name", ["c.ts", "c.avi", "b-frames.mp4"])
def test_every_kind_of_file_is_read_when_it_is_asked_for(tmp_path: Path, name: str) -> None:
    codec, options, muxer = ENCODINGS[name]
    path = encode(tmp_path / name, moving(30), codec, rate=25, gop=12, muxer=muxer, **options)
    by = {
        decoder: open_recording(path, shape=(3, 48, 64), options=VideoOptions(decoder=decoder)).whole().frames
        for decoder in ("pyav", "torchcodec")
    }
    assert (by["pyav"].int() - by["torchcodec"].int()).abs().max() <= 2


@needs_torchcodec
def test_damage_is_told_in_one_line(tmp_path: Path) -> None:
    path = encode(tmp_path / "c.mp4", moving(30))
    index = index_container(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(InputError, match=r"c\.mp4: damaged at or after 1\.00 s: ") as error:
        list(decode_by_torchcodec(path, index, np.arange(10, 12)))
    assert "\n" not in str(error.value)


def test_where_it_does_not_load_auto_is_pyav_and_asking_for_it_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(torchcodec_frames, "torchcodec_problem", lambda: "no library of FFmpeg")
    assert pick_decoder("auto") == pick_decoder("pyav") == "pyav"
    with pytest.raises(InputError, match=r"decoder=torchcodec: .*no library of FFmpeg.*or give decoder=pyav"):
        pick_decoder("torchcodec")


def test_where_it_loads_it_is_taken_and_a_run_remembers(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    data = DataConfig(dataset="folder", length=6, frame_shape=(3, 16, 16))
    path = encode(tmp_path / "c.mp4", moving(6))
    for problem, expected in ((None, "torchcodec"), ("missing", "pyav")):
        monkeypatch.setattr(torchcodec_frames, "torchcodec_problem", lambda problem=problem: problem)
        assert VideoModality().complete_from(data, path).options["decoder"] == expected
