"""Drawn faces that OpenCV's cascade takes for faces, and clips of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter

SKIN, DARK = (224, 182, 152), (60, 40, 30)


@pytest.fixture
def face() -> Callable[[int], Image.Image]:
    """``face(170)`` is a square picture of a face that fills most of it."""

    def draw(side: int) -> Image.Image:
        image = Image.new("RGB", (side, side), (90, 110, 140))
        pen, unit = ImageDraw.Draw(image), side / 200

        def ellipse(x: float, y: float, wide: float, high: float, colour: tuple[int, int, int]) -> None:
            corners = (x - wide, y - high, x + wide, y + high)
            pen.ellipse([corner * unit for corner in corners], fill=colour)

        ellipse(100, 100, 62, 82, DARK)
        ellipse(100, 110, 52, 72, SKIN)
        for x in (78, 122):
            ellipse(x, 92, 16, 9, (150, 105, 85))
            ellipse(x, 80, 17, 4, DARK)
            ellipse(x, 93, 11, 6, (245, 240, 235))
            ellipse(x, 93, 6, 6, DARK)
            ellipse(x, 122, 14, 10, (235, 196, 168))
        ellipse(100, 112, 7, 20, (240, 205, 178))
        ellipse(100, 132, 13, 5, (170, 120, 98))
        ellipse(100, 152, 22, 7, (150, 70, 70))
        return image.filter(ImageFilter.GaussianBlur(2.5 * unit))

    return draw


@pytest.fixture
def scene(face: Callable[[int], Image.Image]) -> Callable[..., list[Image.Image]]:
    """``scene([(320, 180)], side=170)``: pictures of 640×360 with a face whose middle is at these places."""

    def make(places: Sequence[tuple[int, int]], *, side: int = 170) -> list[Image.Image]:
        pictures = []
        for x, y in places:
            picture = Image.new("RGB", (640, 360), (110, 110, 110))
            picture.paste(face(side), (x - side // 2, y - side // 2))
            pictures.append(picture)
        return pictures

    return make


@pytest.fixture
def write_clip() -> Callable[..., Path]:
    """``write_clip(path, pictures, fps=25, sound="aac")`` writes a video, with a tone of 440 Hz if a codec is named."""

    def write(
        path: Path,
        pictures: Sequence[Image.Image],
        *,
        fps: int = 25,
        sound: str | None = None,
    ) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        with av.open(str(path), "w") as container:
            stream = container.add_stream("libx264", rate=fps, options={"crf": "5"})
            stream.width, stream.height = pictures[0].size
            stream.pix_fmt = "yuv420p"
            heard = container.add_stream(sound, rate=44100) if sound else None
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_image(picture)))
            container.mux(stream.encode(None))
            if heard is not None:
                wave = 0.3 * np.sin(2 * np.pi * 440 * np.arange(44100 * len(pictures) // fps) / 44100)
                samples = (wave * 32767).astype(np.int16)[None]
                frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
                frame.rate, frame.pts = 44100, 0
                container.mux(heard.encode(frame))
                container.mux(heard.encode(None))
        return path

    return write
