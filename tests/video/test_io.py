"""Reading and writing: what goes in comes out, and damaged files say so in one line."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.video.io import frame_files, read_frames, write_frames
from seqdis.video.options import VideoOptions

OPTIONS = VideoOptions()


def _read(path: Path, size: int = 16, options: VideoOptions = OPTIONS) -> Tensor:
    return read_frames(path, height=size, width=size, options=options)


@pytest.mark.parametrize(
    ("name", "worst"), [("c.mp4", 0.02), ("c.webm", 0.02), ("c.gif", 0.01), ("c", 0.5 / 255)]
)
def test_what_is_written_is_read_back(tmp_path: Path, clip: Tensor, name: str, worst: float) -> None:
    write_frames(tmp_path / name, clip, fps=8)
    frames = _read(tmp_path / name)
    assert frames.shape == clip.shape
    assert frames.dtype == torch.uint8
    assert (frames / 255 - clip).abs().max() <= worst + 1e-6


@pytest.mark.parametrize("name", ["c.mp4", "c.webm", "c.gif", "c.png"])
def test_the_same_frames_give_the_same_file(tmp_path: Path, clip: Tensor, name: str) -> None:
    write_frames(tmp_path / name, clip, fps=8)
    first = (tmp_path / name).read_bytes()
    write_frames(tmp_path / name, clip, fps=8)
    assert (tmp_path / name).read_bytes() == first


@pytest.mark.parametrize(("suffix", "codec"), [(".mov", "libx264"), (".avi", "mpeg4"), (".mkv", "libx264")])
def test_other_containers_are_read(tmp_path: Path, clip: Tensor, suffix: str, codec: str) -> None:
    path = tmp_path / f"c{suffix}"
    _encode(path, clip, codec)
    frames = _read(path)
    assert frames.shape == clip.shape
    assert (frames / 255 - clip).abs().mean() < 0.03


def test_a_video_plays_at_the_rate_asked_for(tmp_path: Path, clip: Tensor) -> None:
    write_frames(tmp_path / "c.mp4", clip, fps=6)
    with av.open(str(tmp_path / "c.mp4")) as container:
        assert container.streams.video[0].average_rate == 6
        assert container.duration == 2 * av.time_base
    write_frames(tmp_path / "c.gif", clip, fps=10)
    with Image.open(tmp_path / "c.gif") as image:
        assert image.info["duration"] == 100
        assert image.info["loop"] == 0


def test_reading_at_another_rate(tmp_path: Path, clip: Tensor) -> None:
    write_frames(tmp_path / "c.mp4", clip, fps=12)
    every = _read(tmp_path / "c.mp4")
    assert torch.equal(_read(tmp_path / "c.mp4", options=VideoOptions(read_fps=4)), every[::3])
    assert torch.equal(_read(tmp_path / "c.mp4", options=VideoOptions(stride=5)), every[::5])


def test_repeated_pictures_of_a_gif_are_counted(tmp_path: Path, clip: Tensor) -> None:
    # The writer merges equal neighbours into one longer picture.
    repeated = clip[[0, 0, 0, 4, 8, 8]]
    write_frames(tmp_path / "c.gif", repeated, fps=8)
    assert (_read(tmp_path / "c.gif") / 255 - repeated).abs().max() < 0.01


def test_odd_sizes_are_padded_by_repetition(tmp_path: Path) -> None:
    write_frames(tmp_path / "c.mp4", torch.full((4, 3, 15, 15), 0.5), fps=8)
    with av.open(str(tmp_path / "c.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.height, stream.width) == (16, 16)
    assert (_read(tmp_path / "c.mp4") / 255 - 0.5).abs().max() < 0.02


def test_a_strip_holds_the_frames_side_by_side(tmp_path: Path, clip: Tensor) -> None:
    write_frames(tmp_path / "c.png", clip, fps=8)
    pixels = torch.from_numpy(np.array(Image.open(tmp_path / "c.png")))
    expected = (clip * 255).round().byte().permute(2, 0, 3, 1).reshape(16, 12 * 16, 3)
    assert torch.equal(pixels, expected)


def test_values_outside_the_unit_interval_are_clipped(tmp_path: Path) -> None:
    write_frames(tmp_path / "c", torch.tensor([-0.5, 1.5]).view(2, 1, 1, 1).expand(2, 3, 16, 16), fps=8)
    assert _read(tmp_path / "c").flatten(1).unique(dim=1).tolist() == [[0], [255]]


def test_frames_are_ordered_by_number(tmp_path: Path) -> None:
    for name in ("f10.png", "f9.png", "f1.jpg", ".hidden.png", "notes.txt"):
        (tmp_path / name).touch()
    assert [p.name for p in frame_files(tmp_path)] == ["f1.jpg", "f9.png", "f10.png"]


def test_a_folder_of_other_things_is_never_replaced(tmp_path: Path, clip: Tensor) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").write_text("years of work")
    with pytest.raises(
        InputError, match="mine: exists and holds something else than frames; give a new name"
    ):
        write_frames(tmp_path / "mine", clip, fps=8)
    assert (tmp_path / "mine" / "thesis.tex").read_text() == "years of work"
    write_frames(tmp_path / "new", clip, fps=8)
    write_frames(tmp_path / "new", clip[:3], fps=8)
    assert len(_read(tmp_path / "new")) == 3


def test_a_phone_s_rotation_is_undone(tmp_path: Path) -> None:
    # Red above, black below; the header then says "turn a quarter clockwise", so red is on the right.
    frames = torch.zeros(4, 3, 16, 16)
    frames[:, 0, :8] = 1
    write_frames(tmp_path / "c.mp4", frames, fps=8)
    content = (tmp_path / "c.mp4").read_bytes()
    one, minus, zero, last = (bytes.fromhex(h) for h in ("00010000", "FFFF0000", "00000000", "40000000"))
    identity = one + zero * 3 + one + zero * 3 + last
    turned = zero + one + zero + minus + zero * 4 + last
    place = content.index(identity, content.index(b"tkhd"))
    (tmp_path / "c.mp4").write_bytes(content[:place] + turned + content[place + len(identity) :])
    red = _read(tmp_path / "c.mp4")[0, 0].float()
    assert red[:, 9:].min() > 200
    assert red[:, :7].max() < 50


@pytest.mark.parametrize("name", ["c.mp4", "c.webm", "c.gif", "c.avi"])
@pytest.mark.parametrize("share", [0.02, 0.5, 0.8])
def test_a_truncated_file_is_refused(tmp_path: Path, name: str, share: float) -> None:
    noise = torch.rand(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    path = tmp_path / name
    if name == "c.avi":
        _encode(path, noise, "mpeg4")
    else:
        write_frames(path, noise, fps=8)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(
        InputError, match=rf"{name}: (the (video|gif) is cut short|cannot be read as)"
    ) as error:
        _read(path)
    assert "\n" not in str(error.value)


def test_a_video_with_its_index_in_front_is_checked_to_the_end(tmp_path: Path) -> None:
    noise = torch.rand(12, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    _encode(tmp_path / "c.mp4", noise, "libx264", movflags="+faststart")
    content = (tmp_path / "c.mp4").read_bytes()
    (tmp_path / "c.mp4").write_bytes(content[: int(len(content) * 0.7)])
    with pytest.raises(InputError, match=r"c\.mp4: (the video is cut short|cannot be read as video)"):
        _read(tmp_path / "c.mp4")


def test_empty_missing_and_foreign_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.mp4: no such file or folder"):
        _read(tmp_path / "none.mp4")
    for name in ("c.mp4", "c.gif"):
        (tmp_path / name).touch()
        with pytest.raises(InputError, match=rf"{name}: the file is empty"):
            _read(tmp_path / name)
        (tmp_path / name).write_text("a letter, not a film " * 100)
        with pytest.raises(InputError, match=rf"{name}: cannot be read as"):
            _read(tmp_path / name)


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
        _read(tmp_path / "song.mp4")


def test_a_damaged_picture_of_a_folder_is_named(tmp_path: Path, clip: Tensor) -> None:
    write_frames(tmp_path / "c", clip, fps=8)
    broken = tmp_path / "c" / "frame-00003.png"
    broken.write_bytes(broken.read_bytes()[:40])
    with pytest.raises(InputError, match=r"frame-00003\.png: cannot be read as a picture"):
        _read(tmp_path / "c")


def _encode(path: Path, frames: Tensor, codec: str, **options: str) -> None:
    with av.open(str(path), "w", options=options) as container:
        stream = container.add_stream(codec, rate=8)
        stream.height, stream.width, stream.pix_fmt = frames.shape[2], frames.shape[3], "yuv420p"
        for image in (frames * 255).byte().permute(0, 2, 3, 1).numpy():
            container.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24"))
            )
        container.mux(stream.encode())
