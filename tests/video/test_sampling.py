"""Resizing of decoded pictures."""

from __future__ import annotations

import numpy as np
from PIL import Image

from seqdis.video.sampling import fit_image


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


def test_anamorphic_pixels_are_shown_in_proportion() -> None:
    # 24×16 pixels twice as wide as high are a picture of 48×16: its centred square is the green stripe.
    narrow = Image.fromarray(np.asarray(_stripes(48, 16))[:, ::2])
    cropped = fit_image(narrow, height=16, width=16, fit="crop", aspect=2.0)
    assert cropped[:, 2:-2, 1].min() > 240
    assert cropped[:, 2:-2, 0].max() < 15
    padded = fit_image(narrow, height=48, width=48, fit="pad", aspect=2.0)
    assert padded[:16].max() == 0
    assert padded[32:].max() == 0
    assert padded[16:32].any(axis=-1).all()
