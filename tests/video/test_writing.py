"""Writing clips: what is written is read back, and nothing of the user's is replaced."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.video.options import VideoOptions
from seqdis.video.video_recording import open_recording
from seqdis.video.writing import write_frames


def _read(path: Path) -> Tensor:
    return open_recording(path, shape=(3, 16, 16), options=VideoOptions()).whole().frames


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


def test_a_video_plays_at_the_rate_asked_for(tmp_path: Path, clip: Tensor) -> None:
    write_frames(tmp_path / "c.mp4", clip, fps=6)
    with av.open(str(tmp_path / "c.mp4")) as container:
        assert container.streams.video[0].average_rate == 6
        assert container.duration == 2 * av.time_base
    write_frames(tmp_path / "c.gif", clip, fps=10)
    with Image.open(tmp_path / "c.gif") as image:
        assert image.info["duration"] == 100
        assert image.info["loop"] == 0


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
