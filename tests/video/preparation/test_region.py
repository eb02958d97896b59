from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.preparation.region import (
    Region,
    centre_region,
    cut_out,
    given_region,
    square_region,
)
from seqdis.video.preparation.steady_box import Box


def _numbered(width: int, height: int) -> Image.Image:
    """Red counts columns, green rows."""
    y, x = np.mgrid[:height, :width]
    return Image.fromarray(np.stack([x, y, 0 * x], axis=-1).astype(np.uint8))


@pytest.mark.parametrize(
    ("size", "shape", "expected"),
    [
        ((640, 360), (1, 1), Region(140, 0, 360, 360)),
        ((360, 640), (1, 1), Region(0, 140, 360, 360)),
        ((640, 360), (48, 64), Region(80, 0, 480, 360)),
        ((640, 360), (64, 128), Region(0, 20, 640, 320)),
        ((101, 51), (1, 1), Region(25, 0, 50, 50)),
    ],
)
def test_the_centre_is_the_largest_part_of_the_shape(
    size: tuple[int, int], shape: tuple[int, int], expected: Region
) -> None:
    assert centre_region(*size, shape=shape) == expected


def test_a_square_is_even_and_around_the_box() -> None:
    assert square_region(Box(100, 80, 41), 200, 200, inside=False) == Region(80, 60, 40, 40)


def test_a_square_across_the_border_is_moved_inside_or_stays_where_it_is() -> None:
    box = Box(10, 190, 60)
    assert square_region(box, 200, 200, inside=True) == Region(0, 140, 60, 60)
    assert square_region(box, 200, 200, inside=False) == Region(-20, 160, 60, 60)


def test_a_square_larger_than_the_picture_is_shrunk_to_it() -> None:
    assert square_region(Box(100, 30, 300), 201, 101, inside=True) == Region(50, 0, 100, 100)


def test_a_region_is_cut_pixel_for_pixel_and_black_beyond_the_border() -> None:
    cut = cut_out(_numbered(20, 10), Region(-2, 4, 6, 8), None)
    assert cut.shape == (8, 6, 3)
    assert (cut[:6, 2:, 0] == [0, 1, 2, 3]).all()
    assert (cut[:6, 2:, 1] == np.arange(4, 10)[:, None]).all()
    assert not cut[:, :2].any()
    assert not cut[6:].any()


@pytest.mark.parametrize(
    ("picture", "size", "expected"),
    [
        ((640, 360), 64, (64, 114)),
        ((360, 640), 64, (114, 64)),
        ((300, 300), 64, (64, 64)),
        ((640, 360), (48, 64), (48, 64)),
        ((640, 360), None, (360, 640)),
    ],
)
def test_sizes(
    picture: tuple[int, int], size: int | tuple[int, int] | None, expected: tuple[int, int]
) -> None:
    assert cut_out(Image.new("RGB", picture, (200, 200, 200)), None, size).shape == (*expected, 3)


def test_two_numbers_keep_the_proportions_by_black_bars() -> None:
    cut = cut_out(Image.new("RGB", (640, 320), (200, 200, 200)), None, (64, 64))
    assert not cut[:16].any()
    assert not cut[48:].any()
    assert (cut[16:48] == 200).all()


def test_resizing_averages_what_is_finer_than_a_pixel() -> None:
    stripes = np.zeros((64, 64, 3), dtype=np.uint8)
    stripes[:, ::2] = 255
    small = cut_out(Image.fromarray(stripes), None, 16)[:, 2:-2]
    assert abs(small.astype(int) - 127.5).max() < 4


def test_a_given_region_must_lie_in_the_picture() -> None:
    assert given_region((10, 20, 30, 40), 40, 60) == Region(10, 20, 30, 40)
    with pytest.raises(
        InputError, match=r"crop=10,20,31,40 \(x,y,width,height\) reaches beyond pictures of 40x60"
    ):
        given_region((10, 20, 31, 40), 40, 60)
