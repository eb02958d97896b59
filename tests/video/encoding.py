"""Video files made for tests, and their frames as ffmpeg itself gives them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from torch import Tensor

__all__ = ["encode", "every_frame", "moving", "quarter_turn", "rendered"]

IDENTITY = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)


def moving(count: int, *, height: int = 48, width: int = 64, seed: int = 0) -> np.ndarray:
    """Coloured blocks that move by three pixels a frame, ``(T, H, W, 3)`` uint8."""
    generator = np.random.default_rng(seed)
    blocks = generator.integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), dtype=np.uint8)
    picture = blocks.repeat(8, 0).repeat(8, 1)[:height, :width]
    return np.stack([np.roll(picture, (i, 3 * i), (0, 1)) for i in range(count)])


def quarter_turn(sign: int) -> tuple[int, ...]:
    """The display matrix of a quarter turn, clockwise for 1 and counterclockwise for -1."""
    one = sign * (1 << 16)
    return (0, one, 0, -one, 0, 0, 0, 0, 1 << 30)


def encode(
    path: Path,
    frames: np.ndarray | Tensor,
    codec: str = "libx264",
    *,
    rate: int = 10,
    pix_fmt: str = "yuv420p",
    gop: int | None = None,
    aspect: Fraction | None = None,
    matrix: Sequence[int] = IDENTITY,
    times: Sequence[int] | None = None,
    sound: float = 0.0,
    muxer: dict[str, str] | None = None,
    **options: str,
) -> Path:
    """Write frames ``(T, H, W, 3)`` uint8, or ``(T, 3, H, W)`` in [0, 1], as the kind of file that the suffix names.

    Args:
        path: The file.
        frames: The frames.
        codec: Name of the encoder.
        rate: Frames a second.
        pix_fmt: Pixel format.
        gop: Frames from one key frame to the next.
        aspect: Width of a pixel over its height.
        matrix: The nine numbers of the display matrix.
        times: When each frame is shown, in hundredths of a second; at the rate when omitted.
        sound: Seconds of a tone beside the pictures.
        muxer: Options of the container.
        options: Options of the encoder.
    """
    if isinstance(frames, Tensor):
        frames = (frames * 255).byte().permute(0, 2, 3, 1).numpy()
    with av.open(str(path), "w", options=muxer or {}) as container:
        stream = container.add_stream(codec, rate=100 if times is not None else rate, options=options)
        stream.height, stream.width, stream.pix_fmt = frames.shape[1], frames.shape[2], pix_fmt
        if times is not None:
            stream.codec_context.time_base = Fraction(1, 100)
        if gop is not None:
            stream.codec_context.gop_size = gop
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        if tuple(matrix) != IDENTITY:
            stream.set_display_matrix(list(matrix))
        tone = container.add_stream("aac", rate=16000, layout="mono") if sound else None
        for number, image in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            if times is not None:
                frame.pts, frame.time_base = times[number], Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if tone is not None:
            wave = np.sin(np.arange(round(sound * 16000)) * (2 * np.pi * 440 / 16000)).astype(np.float32)[
                None
            ]
            audio = av.AudioFrame.from_ndarray(wave, format="fltp", layout="mono")
            audio.sample_rate = 16000
            container.mux(tone.encode(audio))
            container.mux(tone.encode())
    return path


def every_frame(path: Path) -> np.ndarray:
    """All frames of a video, decoded from its start in one go, ``(T, H, W, 3)`` uint8."""
    return rendered(path, "format=rgb24")


def rendered(path: Path, filters: str) -> np.ndarray:
    """The frames of a video behind a chain of ffmpeg's filters, such as ``transpose=clock,format=rgb24``."""
    with av.open(str(path), metadata_errors="ignore") as container:
        stream = container.streams.video[0]
        graph = av.filter.Graph()
        source = graph.add_buffer(template=stream)
        last = source
        for part in filters.split(","):
            name, _, arguments = part.partition("=")
            node = graph.add(name, arguments)
            last.link_to(node)
            last = node
        sink = graph.add("buffersink")
        last.link_to(sink)
        graph.configure()
        pictures = []
        for frame in [*container.decode(stream), None]:
            graph.push(frame)
            while True:
                try:
                    pictures.append(graph.pull().to_ndarray())
                except (av.error.BlockingIOError, av.error.EOFError):
                    break
    return np.stack(pictures)
