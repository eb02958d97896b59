"""Pictures for people: everything is there, sharp, and large enough."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.core.modality import Panel
from seqdis.video.plot import animated_grid, draw_grid, strip_grid


def _panel(title: str, colour: tuple[float, float, float], length: int = 6, size: int = 16) -> Panel:
    return Panel(title, torch.tensor(colour).view(1, 3, 1, 1).expand(length, 3, size, size))


RED, GREEN = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0)


def _area(picture: Image.Image, colour: tuple[float, float, float]) -> int:
    return int((np.asarray(picture) == np.array(colour) * 255).all(-1).sum())


def test_every_frame_is_shown_at_64_pixels_or_more() -> None:
    sheet = strip_grid([[_panel("one", RED), _panel("two", GREEN)], [_panel("three", RED)]])
    assert _area(sheet, RED) == 2 * 6 * 64 * 64
    assert _area(sheet, GREEN) == 6 * 64 * 64


def test_enlarging_keeps_pixels_sharp() -> None:
    frames = torch.rand(3, 3, 10, 10, generator=torch.Generator().manual_seed(0))
    colours = {tuple(c) for c in (frames * 255).round().byte().movedim(1, -1).reshape(-1, 3).tolist()}
    sheet = np.asarray(strip_grid([[Panel("", frames)]]))
    inside = sheet[32:102, 14:84].reshape(-1, 3)
    assert {tuple(c) for c in inside.tolist()} <= colours


def test_large_frames_are_made_smaller_and_long_clips_thinned() -> None:
    assert _area(strip_grid([[_panel("", RED, length=2, size=256)]]), RED) == 2 * 128 * 128
    assert _area(strip_grid([[_panel("", RED, length=50, size=64)]]), RED) == 10 * 64 * 64


def test_titles_are_drawn_and_wide_ones_wrapped() -> None:
    bare, titled = (strip_grid([[_panel(t, RED, length=1)]]) for t in ("", "static of one"))
    assert _area(titled, RED) == _area(bare, RED)
    assert (np.asarray(titled) < 100).all(-1).sum() > (np.asarray(bare) < 100).all(-1).sum()
    assert titled.height == bare.height + 18  # one line more
    assert titled.width == bare.width


def test_an_animation_moves_all_panels_together_and_holds_the_short_ones() -> None:
    switching = torch.zeros(4, 3, 16, 16)
    switching[0::2, 0], switching[1::2, 1] = 1, 1
    pictures = animated_grid([[Panel("a", switching), _panel("b", GREEN, length=2)]])
    assert len(pictures) == 4
    assert len({picture.size for picture in pictures}) == 1
    side = 112 * 112
    assert [_area(p, RED) for p in pictures] == [side, 0, side, 0]
    assert [_area(p, GREEN) for p in pictures] == [side, 2 * side, side, 2 * side]


def test_the_files_are_what_their_suffix_says(tmp_path: Path) -> None:
    ramp = torch.linspace(0, 1, 6).view(6, 1, 1, 1).expand(6, 3, 16, 16)
    grid = [[Panel("moving", ramp)], [_panel("still", GREEN)]]
    draw_grid(tmp_path / "a.png", grid, fps=5)
    draw_grid(tmp_path / "a.gif", grid, fps=5)
    with Image.open(tmp_path / "a.png") as still, Image.open(tmp_path / "a.gif") as moving:
        assert still.format == "PNG"
        assert (moving.format, moving.n_frames, moving.info["duration"]) == ("GIF", 6, 200)


def test_nothing_to_draw_and_wrong_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.png: a picture needs at least one panel; got none"):
        draw_grid(tmp_path / "a.png", [[]], fps=8)
    with pytest.raises(
        InputError, match=r"panel 'x': frames of shape \(6, 8\); allowed: \(V, 3 or 1, H, W\)"
    ):
        draw_grid(tmp_path / "a.png", [[Panel("x", torch.zeros(6, 8))]], fps=8)
    frames = torch.zeros(1, 3, 4, 4)
    frames[0, 0, 0, 0] = torch.nan
    with pytest.raises(InputError, match=r"panel 'x': 1 of 48 values are NaN or Inf"):
        draw_grid(tmp_path / "a.png", [[Panel("x", frames)]], fps=8)
    assert list(tmp_path.iterdir()) == []
