"""Video files: frames found by seeking are those of decoding the whole, and damage is told in one line."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from tests.video.encoding import encode, every_frame, moving
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.video.containers import decode_container, index_container
from seqdis.video.options import VideoOptions
from seqdis.video.video_recording import open_recording

CASES = Path(__file__).parents[1] / "cases"
ENCODINGS = {
    "b-frames.mp4": ("libx264", {"bf": "3", "preset": "fast"}, {}),
    "open-gop.mp4": ("libx264", {"bf": "3", "x264-params": "open-gop=1:keyint=12:min-keyint=12"}, {}),
    "open-gop.mkv": ("libx264", {"bf": "3", "x264-params": "open-gop=1:keyint=12:min-keyint=12"}, {}),
    "refresh.mp4": ("libx264", {"x264-params": "intra-refresh=1:keyint=12"}, {}),
    "fragments.mp4": ("libx264", {"bf": "2"}, {"movflags": "frag_keyframe+empty_moov"}),
    "c.mov": ("libx264", {"bf": "2"}, {}),
    "c.webm": ("libvpx-vp9", {"cpu-used": "8"}, {}),
    "vp8.webm": ("libvpx", {"auto-alt-ref": "1", "lag-in-frames": "16", "cpu-used": "8"}, {}),
    "c.avi": ("mpeg4", {}, {}),
    "b.avi": ("mpeg4", {"bf": "2"}, {}),
    "mjpeg.avi": ("mjpeg", {}, {}),
    "c.mpg": ("mpeg2video", {"bf": "2"}, {}),
    "fields.ts": ("mpeg2video", {"bf": "2", "flags": "+ildct+ilme"}, {}),
    "c.ts": ("libx264", {"bf": "3"}, {}),
    "c.m2ts": ("libx264", {"bf": "3"}, {}),
    "c.wmv": ("wmv2", {}, {}),
    "c.flv": ("flv", {}, {}),
    "c.ogv": ("libtheora", {}, {}),
    "c.m4v": ("mpeg4", {}, {}),
    "c.3gp": ("mpeg4", {}, {}),
    "c.asf": ("msmpeg4", {}, {}),
    "hevc.mp4": ("libx265", {"x265-params": "log-level=error:keyint=12:min-keyint=12"}, {}),
    "lossless.mkv": ("ffv1", {}, {}),
    "c.y4m": ("rawvideo", {}, {}),
}
WAYS = {"mjpeg": "yuvj420p"}


@pytest.mark.parametrize("name", ENCODINGS)
def test_any_steps_are_those_of_decoding_the_whole(tmp_path: Path, name: str) -> None:
    codec, options, muxer = ENCODINGS[name]
    if codec not in av.codecs_available:
        pytest.skip(f"this build of PyAV has no encoder {codec}")
    frames = moving(60)
    path = encode(
        tmp_path / name,
        frames,
        codec,
        rate=25,
        gop=12,
        muxer=muxer,
        pix_fmt=WAYS.get(codec, "yuv420p"),
        **options,
    )
    whole = every_frame(path)
    index = index_container(path)
    assert len(index.stamps) == len(whole) == 60
    assert np.abs(whole.astype(int) - frames).mean() < 30  # they are the frames that were written, in order
    generator = np.random.default_rng(0)
    picks = [np.arange(60), np.array([59]), np.array([0]), np.arange(10, 26), np.array([11, 12, 13, 40, 41])]
    picks += [np.sort(generator.choice(60, size=7, replace=False)) for _ in range(8)]
    for numbers in picks:
        decoded = {d.number: np.asarray(d.image) for d in decode_container(path, index, numbers)}
        assert list(decoded) == numbers.tolist()
        for number, pixels in decoded.items():
            assert np.array_equal(pixels, whole[number]), (name, numbers, number)
    for decoded_on_the_way in decode_container(path, index, np.array([30, 50]), between=True):
        assert np.array_equal(np.asarray(decoded_on_the_way.image), whole[decoded_on_the_way.number])


@pytest.mark.parametrize("name", ["open-gop.mp4", "c.ts", "c.webm", "mjpeg.avi"])
def test_a_late_window_is_not_decoded_from_the_start(tmp_path: Path, name: str) -> None:
    codec, options, muxer = ENCODINGS[name]
    pix_fmt = WAYS.get(codec, "yuv420p")
    path = encode(
        tmp_path / name, moving(120), codec, rate=25, gop=12, muxer=muxer, pix_fmt=pix_fmt, **options
    )
    index = index_container(path)
    given = [d.number for d in decode_container(path, index, np.arange(100, 105), between=True)]
    assert len(given) < 40


def test_a_video_with_sound_has_all_its_frames() -> None:
    path = CASES / "01-video-with-audio-track" / "04_portrait_audio.mp4"
    recording = _open(path, height=320, width=180)
    assert recording.steps == 60
    assert np.array_equal(_pixels(recording.whole().frames), every_frame(path))


def test_a_video_that_does_not_begin_at_zero_is_read() -> None:
    path = CASES / "05-mkv-start-offset" / "offset.mkv"
    index = index_container(path)
    assert (len(index.stamps), index.seconds[0]) == (50, 0)
    assert index.duration == pytest.approx(2.0, abs=0.01)
    recording = _open(path, height=index.height, width=index.width)
    assert np.array_equal(_pixels(recording.whole().frames), every_frame(path))


@pytest.mark.parametrize("name", ["c.mp4", "c.mkv", "c.mov"])
def test_sound_beside_the_pictures_changes_nothing(tmp_path: Path, name: str) -> None:
    loud = encode(tmp_path / name, moving(20), sound=2.0)
    with av.open(str(loud)) as container:
        assert len(container.streams.audio) == 1
    recording = _open(loud)
    assert recording.steps == 20
    assert np.array_equal(_pixels(recording.whole().frames), every_frame(loud))


@pytest.mark.parametrize("name", ["11-1270-v.mov", "11-854-v.mkv"])
def test_a_flipped_byte_in_a_header_s_text_does_not_matter(name: str) -> None:
    path = CASES / "20-damaged" / name
    frames = _open(path, height=32, width=32).whole().frames
    assert len(frames) == 8
    assert np.array_equal(_pixels(frames), every_frame(path))


def test_a_flipped_byte_that_takes_pictures_away_is_told_in_one_line() -> None:
    message = r"11-256-v\.mkv: the video is cut short: 0\.75 s of 1\.00 s can be read \(6 frames\)$"
    with pytest.raises(InputError, match=message):
        _open(CASES / "20-damaged" / "11-256-v.mkv")


def test_a_flipped_byte_within_a_picture_is_told_in_one_line(tmp_path: Path) -> None:
    # The decoder would fill the hole with grey, and go on from there.
    with pytest.raises(
        InputError, match=r"11-7662-v\.mkv: damaged at 0\.00 s: the frame there does not decode$"
    ):
        _open(CASES / "20-damaged" / "11-7662-v.mkv")


@pytest.mark.parametrize("steps", [(24, 30), (30, 36), (40, 47)])
def test_damage_that_a_decoder_conceals_is_told_all_the_same(tmp_path: Path, steps: tuple[int, int]) -> None:
    path = encode(tmp_path / "c.mp4", moving(60), gop=24, bf="0", preset="ultrafast")
    recording = _open(path)
    index = index_container(path)
    with av.open(str(path)) as container:
        packet = next(p for p in container.demux(video=0) if p.pts == index.stamps[24])
    content = bytearray(path.read_bytes())
    place = content.index(bytes(packet)) + packet.size // 2
    content[place : place + 40] = bytes(40)
    path.write_bytes(content)
    assert recording.take(torch.arange(5)).steps == 5
    with pytest.raises(InputError, match=r"c\.mp4: damaged at 2\.40 s: the frame there does not decode$"):
        recording.take(torch.arange(*steps))
    assert recording.take(torch.arange(50, 55)).steps == 5


@pytest.mark.parametrize("name", ["c.mp4", "c.webm", "c.avi", "c.mkv", "sound.mp4", "offset.mkv"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.8])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, share: float) -> None:
    noise = torch.rand(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    codec = {"c.webm": "libvpx-vp9", "c.avi": "mpeg4"}.get(name, "libx264")
    path = tmp_path / name
    if name == "offset.mkv":
        content = (CASES / "05-mkv-start-offset" / name).read_bytes()
    else:
        content = encode(path, noise, codec, sound=1.2 if name == "sound.mp4" else 0).read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(InputError, match=rf"{name}: (the video is cut short|cannot be read as)") as error:
        _open(path)
    assert "\n" not in str(error.value)


def test_a_video_with_its_index_in_front_is_checked_to_the_end(tmp_path: Path) -> None:
    noise = torch.rand(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    path = encode(tmp_path / "c.mp4", noise, muxer={"movflags": "+faststart"})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * 0.7)])
    with pytest.raises(InputError, match=r"c\.mp4: (the video is cut short|cannot be read as video)"):
        _open(path)


def test_damage_inside_a_file_is_told_with_its_time(tmp_path: Path) -> None:
    path = encode(tmp_path / "c.mov", moving(50), "png", rate=10, pix_fmt="rgb24")
    recording = _open(path)
    index = index_container(path)
    content = bytearray(path.read_bytes())
    with av.open(str(path)) as container:
        packet = next(p for p in container.demux(video=0) if p.pts == index.stamps[30])
        place = content.index(bytes(packet))
    content[place : place + 60] = bytes(60)
    path.write_bytes(content)
    assert recording.take(torch.arange(5)).steps == 5
    with pytest.raises(InputError, match=r"c\.mov: damaged at 3\.00 s: ") as error:
        recording.take(torch.arange(28, 33))
    assert "\n" not in str(error.value)


def test_empty_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.mp4: no such file or folder"):
        _open(tmp_path / "none.mp4")
    for name in ("c.mp4", "c.gif", "c.webp"):
        (tmp_path / name).touch()
        with pytest.raises(InputError, match=rf"{name}: the file is empty"):
            _open(tmp_path / name)
        (tmp_path / name).write_text("a letter, not a film " * 100)
        with pytest.raises(InputError, match=rf"{name}: cannot be read as"):
            _open(tmp_path / name)


def test_a_file_without_pictures_is_refused(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "song.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=16000)
        sound = av.AudioFrame.from_ndarray(
            np.zeros((1, 4096), dtype=np.float32), format="fltp", layout="mono"
        )
        sound.sample_rate = 16000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    with pytest.raises(InputError, match=r"song\.mp4: has no video stream"):
        _open(tmp_path / "song.mp4")


def _open(path: Path, *, height: int = 48, width: int = 64, **options: object):  # type: ignore[no-untyped-def]
    return open_recording(path, shape=(3, height, width), options=VideoOptions(**options))


def _pixels(frames: Tensor) -> np.ndarray:
    return frames.permute(0, 2, 3, 1).numpy()
