"""Resizing and thinning of decoded pictures."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.sampling import TimedImage, fit_image, resample, to_rgb


def _stripes(width: int, height: int) -> Image.Image:
    # Left third red, middle green, right third blue.
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    for channel in range(3):
        pixels[:, channel * width // 3 : (channel + 1) * width // 3, channel] = 255
    return Image.fromarray(pixels)


def test_a_picture_of_the_right_size_is_not_touched() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    for fit in ("crop", "pad", "stretch"):
        assert np.array_equal(fit_image(Image.fromarray(pixels), height=16, width=16, fit=fit), pixels)


def test_crop_keeps_the_centre() -> None:
    # 48×16 with three stripes of 16: the centred square is the green one.
    cropped = fit_image(_stripes(48, 16), height=8, width=8, fit="crop")
    assert cropped[:, 1:-1, 1].min() > 240
    assert cropped[:, 1:-1, 0].max() < 15


def test_pad_adds_black_bars_and_stretch_fills() -> None:
    padded = fit_image(_stripes(48, 16), height=48, width=48, fit="pad")
    assert padded[:16].max() == 0
    assert padded[32:].max() == 0
    assert np.array_equal(padded[16:32], np.asarray(_stripes(48, 16)))
    stretched = fit_image(_stripes(48, 16), height=48, width=48, fit="stretch")
    assert np.array_equal(stretched, np.asarray(_stripes(48, 48)))


def test_shrinking_is_antialiased() -> None:
    # A one-pixel checkerboard has no detail left at a quarter of its size: grey, not noise.
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = fit_image(Image.fromarray(np.stack([board] * 3, -1)), height=16, width=16, fit="crop")
    assert np.abs(small.astype(int) - 127).max() <= 8


def test_transparency_becomes_black_and_palettes_become_rgb() -> None:
    half = Image.new("RGBA", (2, 1), (200, 100, 50, 0))
    half.putpixel((1, 0), (200, 100, 50, 255))
    assert np.asarray(to_rgb(half)).tolist() == [[[0, 0, 0], [200, 100, 50]]]
    indexed = Image.new("RGB", (2, 2), (10, 20, 30)).quantize(4)
    assert np.asarray(to_rgb(indexed))[0, 0].tolist() == [10, 20, 30]


def test_deep_pixels_are_refused() -> None:
    with pytest.raises(InputError, match=r"pixels of mode 'I;16'; allowed: 8 bits a channel"):
        to_rgb(Image.fromarray(np.zeros((2, 2), dtype=np.uint16)))


def _numbered(count: int, fps: float) -> list[TimedImage]:
    return [TimedImage(Image.new("RGB", (1, 1), (i, 0, 0)), i / fps) for i in range(count)]


def _numbers(frames: list[TimedImage], fps: float | None, stride: int = 1) -> list[int]:
    return [image.getpixel((0, 0))[0] for image in resample(frames, fps=fps, stride=stride)]  # type: ignore[index]


def test_a_rate_picks_the_picture_shown_at_each_instant() -> None:
    frames = _numbered(30, 30)
    assert _numbers(frames, None) == list(range(30))
    assert _numbers(frames, 10) == list(range(0, 30, 3))
    assert _numbers(frames, 10, stride=2) == list(range(0, 30, 6))
    assert _numbers(frames, 30) == list(range(30))
    assert _numbers(_numbered(3, 5), 10) == [0, 0, 1, 1, 2]


def test_a_picture_held_for_long_is_repeated() -> None:
    held = [TimedImage(Image.new("RGB", (1, 1), (i, 0, 0)), t) for i, t in enumerate((0.0, 0.1, 0.5))]
    assert _numbers(held, 10) == [0, 1, 1, 1, 1, 2]
