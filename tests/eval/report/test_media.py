from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.errors import InputError
from seqdis.core.modality import Modality, Panel
from seqdis.eval.report.media import Showroom, embed

DATA = DataConfig(dataset="x", length=3, frame_shape=(2,))
FRAMES = torch.zeros(3, 2)
GIF = b"GIF89a" + struct.pack("<HH", 12, 8)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 30, 20)


class Kind(Modality):
    """Writes files of given sizes, and remembers what it drew."""

    name = "kind"
    sizes: ClassVar[dict[str, int]] = {}

    def __init__(self, writes: Sequence[str], pictures: Sequence[str], **sizes: int) -> None:
        self.writes, self.pictures = tuple(writes), tuple(pictures)  # type: ignore[misc]
        self.bytes = {f".{name}": size for name, size in sizes.items()}
        self.drawn: list[list[list[Panel]]] = []

    def read(self, path: Path, data: DataConfig) -> Clip:
        raise NotImplementedError

    def write(
        self, path: Path, frames: Tensor, data: DataConfig, *, source: DynamicsSource | None = None
    ) -> None:
        head = GIF if path.suffix == ".gif" else b""
        path.write_bytes(head + b"\0" * (self.bytes.get(path.suffix, 20) - len(head)))

    def draw(self, path: Path, grid: Any, data: DataConfig) -> None:
        self.drawn.append(grid)
        path.write_bytes(PNG if path.suffix == ".png" else GIF)


def content(uri: str) -> bytes:
    return base64.b64decode(uri.partition("base64,")[2])


def test_a_file_comes_back_from_its_address(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    media = embed(tmp_path / "a.png", "a picture")
    assert media.uri.startswith("data:image/png;base64,")
    assert content(media.uri) == PNG
    assert (media.kind, media.alt, media.size) == ("image", "a picture", (30, 20))
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    assert embed(tmp_path / "a.wav", "").size is None


def test_what_a_page_cannot_show_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.csv: a page cannot show '\.csv'; allowed: \.png"):
        embed(tmp_path / "a.csv", "")
    with pytest.raises(InputError, match=r"a\.png: cannot be read: No such file"):
        embed(tmp_path / "a.png", "")


def test_small_clips_are_gifs_and_large_ones_the_smaller_file() -> None:
    small = Showroom(Kind([".mp4", ".gif"], [".png"], gif=500, mp4=100), DATA).clip(FRAMES, "x")
    assert small.uri.startswith("data:image/gif")
    assert small.size == (12, 8)
    large = Showroom(Kind([".mp4", ".gif"], [".png"], gif=200_000, mp4=50_000), DATA).clip(FRAMES, "x")
    assert (large.kind, large.uri.partition(";")[0]) == ("video", "data:video/mp4")
    worse = Showroom(Kind([".mp4", ".gif"], [".png"], gif=200_000, mp4=300_000), DATA).clip(FRAMES, "x")
    assert worse.uri.startswith("data:image/gif")


def test_a_clip_has_a_still_for_those_who_want_no_motion() -> None:
    kind = Kind([".gif"], [".png"])
    frames = torch.arange(6.0).view(3, 2)
    media = Showroom(kind, DATA).clip(frames, "x")
    assert media.still is not None
    assert media.still.startswith("data:image/png")
    assert torch.equal(kind.drawn[0][0][0].frames, frames[1:2])


def test_motion_may_be_drawn_instead_of_written() -> None:
    show = Showroom(Kind([".bvh"], [".png", ".gif"]), DATA)
    assert show.moves
    assert show.clip(FRAMES, "x").uri.startswith("data:image/gif")
    assert show.sound(FRAMES, "x") is None


def test_sounds_come_in_the_smaller_form_and_do_not_move() -> None:
    show = Showroom(Kind([".wav", ".flac", ".npy"], [".png"]), DATA)
    sound = show.sound(FRAMES, "a word")
    assert sound is not None
    assert (sound.kind, sound.uri.partition(";")[0]) == ("audio", "data:audio/flac")
    assert not show.moves
    with pytest.raises(InputError, match="kind: writes and draws nothing that moves"):
        show.clip(FRAMES, "x")


def test_panels_are_drawn_one_above_the_other() -> None:
    kind = Kind([".csv"], [".pdf", ".png"])
    picture = Showroom(kind, DATA).picture([Panel("a", FRAMES), Panel("b", FRAMES)], "two")
    assert picture is not None
    assert picture.size == (30, 20)
    assert [[panel.title for panel in row] for row in kind.drawn[0]] == [["a"], ["b"]]
    assert Showroom(Kind([".csv"], [".pdf"]), DATA).picture([Panel("a", FRAMES)], "one") is None
