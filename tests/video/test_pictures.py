"""Single pictures of any depth, palette and transparency as 8-bit RGB."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.pictures import read_picture, to_rgb

CASES = Path(__file__).parents[1] / "cases"


def _save_deep(path: Path, values: np.ndarray, pix_fmt: str, codec: str) -> Path:
    """Write 16-bit values ``(H, W, C)``, which Pillow cannot."""
    with av.open(str(path), "w", format="image2") as container:
        stream = container.add_stream(codec, rate=1)
        stream.height, stream.width, stream.pix_fmt = values.shape[0], values.shape[1], pix_fmt
        frame = av.VideoFrame(values.shape[1], values.shape[0], pix_fmt)
        rows = (
            values.astype(">u2" if pix_fmt.endswith("be") else "<u2").reshape(len(values), -1).view(np.uint8)
        )
        plane = np.zeros((len(values), frame.planes[0].line_size), np.uint8)
        plane[:, : rows.shape[1]] = rows
        frame.planes[0].update(plane.tobytes())
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _deep(channels: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 65536, (20, 24, channels), dtype=np.uint16)


def test_transparency_becomes_black_and_palettes_become_rgb() -> None:
    half = Image.new("RGBA", (2, 1), (200, 100, 50, 0))
    half.putpixel((1, 0), (200, 100, 50, 255))
    assert np.asarray(to_rgb(half)).tolist() == [[[0, 0, 0], [200, 100, 50]]]
    indexed = Image.new("RGB", (2, 2), (10, 20, 30)).quantize(4)
    assert np.asarray(to_rgb(indexed))[0, 0].tolist() == [10, 20, 30]


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"])
def test_pictures_of_every_mode_become_rgb(mode: str) -> None:
    grey = Image.fromarray(np.array([[0, 255], [255, 0]], dtype=np.uint8))
    pixels = np.asarray(to_rgb(grey.convert(mode) if mode != "PA" else grey.convert("P").convert("PA")))
    assert np.abs(pixels.astype(int) - np.array([[0, 255], [255, 0]])[..., None]).max() <= 2


def test_a_16_bit_png_is_scaled_by_its_full_range() -> None:
    path = CASES / "16-picture-formats" / "0.png"
    stored = np.asarray(Image.open(path)).astype(np.float64)
    assert stored.max() > 60000
    pixels = np.asarray(read_picture(path))
    assert pixels.shape == (40, 40, 3)
    assert np.array_equal(pixels, np.round(stored * 255 / 65535).astype(np.uint8)[..., None].repeat(3, -1))


@pytest.mark.parametrize(
    ("pix_fmt", "channels"), [("rgb48be", 3), ("rgba64be", 4), ("ya16be", 2), ("gray16be", 1)]
)
def test_16_bits_of_every_colour_count(tmp_path: Path, pix_fmt: str, channels: int) -> None:
    values = _deep(channels)
    path = _save_deep(tmp_path / "x.png", values, pix_fmt, "png")
    colours = values[..., :1].repeat(3, -1) if channels < 3 else values[..., :3]
    opacity = values[..., -1:] / 65535 if channels in (2, 4) else 1.0
    expected = np.round(colours / 65535 * opacity * 255)
    assert np.array_equal(np.asarray(read_picture(path)), expected)


@pytest.mark.parametrize("pix_fmt", ["rgb48le", "gray16le"])
def test_a_deep_tiff_needs_its_value_of_white(tmp_path: Path, pix_fmt: str) -> None:
    values = _deep(3 if pix_fmt == "rgb48le" else 1) // 16  # a camera of 12 bits
    path = _save_deep(tmp_path / "x.tiff", values, pix_fmt, "tiff")
    with pytest.raises(
        InputError, match=r"x\.tiff: pixels of mode .*range is not known; .* white=VALUE"
    ) as error:
        read_picture(path)
    assert "\n" not in str(error.value)
    pixels = np.asarray(read_picture(path, white=4095))
    assert np.array_equal(
        pixels, np.round(values / 4095 * 255).astype(np.uint8).repeat(4 - values.shape[2], -1)[..., :3]
    )
    with pytest.raises(InputError, match=r"x\.tiff: a pixel is \d+; allowed with white=255: 0 to 255"):
        read_picture(path, white=255)


def test_a_floating_point_tiff_needs_its_value_of_white(tmp_path: Path) -> None:
    values = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
    Image.fromarray(values).save(tmp_path / "x.tif")
    with pytest.raises(InputError, match=r"x\.tif: pixels of mode 'F', whose range is not known"):
        read_picture(tmp_path / "x.tif")
    pixels = np.asarray(read_picture(tmp_path / "x.tif", white=1.0))
    assert np.array_equal(pixels[..., 0], np.round(values * 255))


def test_pictures_are_turned_as_their_camera_was_held(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter clockwise
    picture = Image.new("RGB", (4, 2))
    picture.putpixel((0, 0), (255, 255, 255))
    picture.save(tmp_path / "x.png", exif=exif)
    turned = read_picture(tmp_path / "x.png")
    assert turned.size == (2, 4)
    assert turned.getpixel((1, 0)) == (255, 255, 255)


def test_damaged_and_animated_pictures_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (4, 4)).save(tmp_path / "x.png")
    (tmp_path / "x.png").write_bytes((tmp_path / "x.png").read_bytes()[:40])
    with pytest.raises(InputError, match=r"x\.png: cannot be read as a picture"):
        read_picture(tmp_path / "x.png")
    pictures = [Image.new("RGB", (4, 4), (value, 0, 0)) for value in (0, 99)]
    pictures[0].save(tmp_path / "y.png", save_all=True, append_images=pictures[1:])
    with pytest.raises(InputError, match=r"y\.png: holds 2 pictures; .* suffix \.apng"):
        read_picture(tmp_path / "y.png")
