from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.preparation.clip_writer import PreparedPicture, write_folder, write_mp4
from seqdis.video.preparation.kept_sound import SoundSource


def _pictures(times: list[float], *, side: int = 32) -> Iterator[PreparedPicture]:
    for number, seconds in enumerate(times):
        yield PreparedPicture(np.full((side, side, 3), 5 * (number % 50), dtype=np.uint8), seconds)


def _times(path: Path) -> list[float]:
    with av.open(str(path)) as container:
        return [frame.time for frame in container.decode(video=0)]


def test_pictures_keep_irregular_times(tmp_path: Path) -> None:
    times = [0.0, 0.04, 0.1, 0.5, 0.52]
    assert write_mp4(tmp_path / "a.mp4", _pictures(times), fps=None, quality=12) == 5
    assert _times(tmp_path / "a.mp4") == pytest.approx(times, abs=1e-4)


def test_the_last_picture_is_shown_as_long_as_the_first(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", _pictures([k / 60 for k in range(30)]), fps=None, quality=12)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.duration / av.time_base == pytest.approx(0.5, abs=1e-3)
        assert container.streams.video[0].average_rate == 60


@pytest.mark.parametrize("fps", [25.0, 29.97, 30000 / 1001, 7.5])
def test_a_rate_is_exact(tmp_path: Path, fps: float) -> None:
    write_mp4(tmp_path / "a.mp4", _pictures([k / fps for k in range(20)]), fps=fps, quality=12)
    assert _times(tmp_path / "a.mp4") == pytest.approx([k / fps for k in range(20)], abs=1e-4)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert float(container.streams.video[0].average_rate) == pytest.approx(fps, rel=1e-5)


def test_equal_times_are_moved_apart(tmp_path: Path) -> None:
    write_mp4(tmp_path / "a.mp4", _pictures([0.0, 0.0, 0.0, 0.1]), fps=None, quality=12)
    times = _times(tmp_path / "a.mp4")
    assert len(times) == 4
    assert sorted(set(times)) == times


def test_pixels_come_back_and_odd_sides_repeat_the_last_row(tmp_path: Path) -> None:
    ramp = np.linspace(0, 250, 31).astype(np.uint8)
    pixels = np.broadcast_to(ramp[:, None, None], (31, 33, 3)).copy()
    write_mp4(tmp_path / "a.mp4", [PreparedPicture(pixels, 0.0)], fps=25, quality=0)
    with av.open(str(tmp_path / "a.mp4")) as container:
        back = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert back.shape == (32, 34, 3)
    assert abs(back[:31, :33] - pixels).max() <= 3
    assert abs(back[31] - back[30]).max() <= 1


def test_the_same_pictures_give_the_same_file(tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        write_mp4(tmp_path / name, _pictures([0, 0.1, 0.2]), fps=None, quality=12)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_pictures_of_two_sizes_and_none_at_all_are_refused(tmp_path: Path) -> None:
    def both() -> Iterator[PreparedPicture]:
        yield from _pictures([0.0], side=32)
        yield from _pictures([0.0], side=64)

    with pytest.raises(InputError, match=r"pictures of 32x32 and 64x64; size=height,width makes them equal"):
        write_mp4(tmp_path / "a.mp4", both(), fps=25, quality=12)
    with pytest.raises(InputError, match="no picture is left"):
        write_mp4(tmp_path / "b.mp4", [], fps=25, quality=12)
    with pytest.raises(InputError, match="no picture is left"):
        write_folder(tmp_path / "c", [])


def test_a_folder_holds_the_pixels_themselves(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 3), dtype=np.uint8)
    assert write_folder(tmp_path / "a", [PreparedPicture(pixels, 0.0)] * 3) == 3
    names = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert names == ["frame-00000.png", "frame-00001.png", "frame-00002.png"]
    assert (np.asarray(Image.open(tmp_path / "a" / names[2])) == pixels).all()


def test_pictures_are_taken_one_at_a_time(tmp_path: Path) -> None:
    given: list[int] = []

    def watched() -> Iterator[PreparedPicture]:
        for number, picture in enumerate(_pictures([k / 10 for k in range(8)])):
            given.append(number)
            yield picture
            files = list((tmp_path / "a").glob("*.png"))
            assert len(files) == len(given)

    write_folder(tmp_path / "a", watched())


@pytest.mark.parametrize(
    ("suffix", "codec", "written"), [(".mp4", "aac", "aac"), (".avi", "pcm_mulaw", "aac")]
)
def test_sound_goes_along(
    tmp_path: Path, write_clip: Callable[..., Path], suffix: str, codec: str, written: str
) -> None:
    grey = [Image.new("RGB", (32, 32), (90, 90, 90))] * 50
    source = write_clip(tmp_path / f"in{suffix}", grey, sound=codec)
    times = [k / 25 for k in range(50)]
    write_mp4(tmp_path / "a.mp4", _pictures(times), fps=25, quality=12, sound=SoundSource(source, 0.0))
    with av.open(str(tmp_path / "a.mp4")) as container:
        track = container.streams.audio[0]
        assert track.codec_context.name == written
        frames = list(container.decode(track))
        wave = np.concatenate([frame.to_ndarray()[0] for frame in frames])
    assert len(wave) / 44100 == pytest.approx(2, abs=0.08)
    middle = wave[22050:66150] * np.hanning(44100)
    assert np.abs(np.fft.rfft(middle)).argmax() == 440
    assert len(_times(tmp_path / "a.mp4")) == 50


def test_sound_before_the_first_picture_is_left_out(tmp_path: Path, write_clip: Callable[..., Path]) -> None:
    grey = [Image.new("RGB", (32, 32), (90, 90, 90))] * 50
    source = write_clip(tmp_path / "in.mp4", grey, sound="aac")
    times = [k / 25 for k in range(25)]
    write_mp4(tmp_path / "a.mp4", _pictures(times), fps=25, quality=12, sound=SoundSource(source, 1.0))
    with av.open(str(tmp_path / "a.mp4")) as container:
        track = container.streams.audio[0]
        assert float(track.duration * track.time_base) == pytest.approx(1, abs=0.08)


def test_a_source_without_sound_gives_none(tmp_path: Path, write_clip: Callable[..., Path]) -> None:
    source = write_clip(tmp_path / "in.mp4", [Image.new("RGB", (32, 32))] * 5)
    write_mp4(tmp_path / "a.mp4", _pictures([0, 0.1]), fps=None, quality=12, sound=SoundSource(source, 0.0))
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert not container.streams.audio
