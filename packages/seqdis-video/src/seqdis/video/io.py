"""Reading and writing clips: PyAV for video files, Pillow for gif and folders of images."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.files import replace_directory, replace_file
from seqdis.video.options import VideoOptions
from seqdis.video.sampling import TimedImage, fit_image, resample, to_rgb

__all__ = ["IMAGES", "frame_files", "read_frames", "save_gif", "write_frames"]

IMAGES = (".png", ".jpg", ".jpeg")
"""Suffixes of the pictures that a folder of frames may hold."""

# What Pillow lets through from the depths of a damaged picture.
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, struct.error, Image.DecompressionBombError,
)  # fmt: skip
_FRAME_NAME = re.compile(r"frame-\d{5,}\.png")


def frame_files(folder: Path) -> list[Path]:
    """The pictures directly in a folder; numbers in names count as numbers, so 10 follows 9."""

    def natural(path: Path) -> list[tuple[int, str]]:
        return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]

    pictures = (p for p in folder.iterdir() if p.suffix.lower() in IMAGES and not p.name.startswith("."))
    return sorted(pictures, key=natural)


def read_frames(path: Path, *, height: int, width: int, options: VideoOptions) -> Tensor:
    """Read a whole clip as bytes, ``(T, 3, height, width)`` uint8.

    Raises:
        InputError: The file is missing, empty, damaged, cut short, or holds no picture.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file or folder")
    if path.is_dir():
        # A folder has no clock: its pictures come as fast as what is written plays.
        decoded = _decode_folder(path, options.fps)
    elif path.stat().st_size == 0:
        raise InputError(f"{path}: the file is empty")
    else:
        decoded = _decode_gif(path) if path.suffix.lower() == ".gif" else _decode_container(path)
    pictures = resample(decoded, fps=options.read_fps, stride=options.stride)
    frames = [fit_image(picture, height=height, width=width, fit=options.fit) for picture in pictures]
    if not frames:
        raise InputError(f"{path}: holds no picture that can be decoded")
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()


def _decode_folder(folder: Path, fps: float) -> Iterator[TimedImage]:
    for index, path in enumerate(frame_files(folder)):
        try:
            with Image.open(path) as image:
                picture = to_rgb(ImageOps.exif_transpose(image))
        except _BROKEN as error:
            raise InputError(f"{path}: cannot be read as a picture: {error}") from error
        yield TimedImage(picture, index / fps)


def _decode_gif(path: Path) -> Iterator[TimedImage]:
    # Writers merge equal neighbours into one longer picture; the shortest duration is the step, so
    # that a clip comes back with as many frames as it had (unless every picture was merged).
    try:
        with Image.open(path) as image:
            durations = []
            for index in range(getattr(image, "n_frames", 1)):
                image.seek(index)
                durations.append(int(image.info.get("duration", 0)) or 100)
            step, count = min(durations), 0
            for index, duration in enumerate(durations):
                image.seek(index)
                picture = to_rgb(image)
                for _ in range(max(1, round(duration / step))):
                    yield TimedImage(picture, count * step / 1000)
                    count += 1
    except _BROKEN as error:
        raise InputError(f"{path}: cannot be read as gif: {error}") from error
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 64))
        if not file.read().rstrip(b"\0\r\n ").endswith(b";"):  # some writers pad after the trailer byte
            raise InputError(f"{path}: the gif is cut short: its end marker is missing")


def _decode_container(path: Path) -> Iterator[TimedImage]:
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise InputError(f"{path}: has no video stream")
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            first: float | None = None
            end, count, damaged = 0.0, 0, False
            for packet in container.demux():
                damaged |= packet.is_corrupt
                if packet.pts is not None:
                    end = max(end, float((packet.pts + (packet.duration or 0)) * packet.time_base))
                if packet.stream_index != stream.index:
                    continue
                for frame in stream.decode(packet):
                    seconds = (
                        frame.time if frame.time is not None else count / float(stream.average_rate or 25)
                    )
                    first = seconds if first is None else first
                    yield TimedImage(_upright(frame), seconds - first)
                    count += 1
            _check_whole(path, container, end, count, damaged)
    except av.error.FFmpegError as error:
        raise InputError(
            f"{path}: cannot be read as video, damaged or cut short: {error.strerror}"
        ) from error


def _upright(frame: av.VideoFrame) -> Image.Image:
    picture = Image.fromarray(frame.to_ndarray(format="rgb24"))
    turn = frame.rotation  # degrees counterclockwise, as phones note it in the file
    return picture.rotate(turn, expand=True) if turn else picture


def _check_whole(
    path: Path, container: av.container.InputContainer, end: float, count: int, damaged: bool
) -> None:
    # mkv and webm end quietly where the file was cut: only the length that the header promises tells.
    rate = float(container.streams.video[0].average_rate or 25)
    promised = (container.duration or 0) / av.time_base
    got = end - (container.start_time or 0) / av.time_base
    slack = 1.5 / rate + 0.04  # the last packet may not say how long it lasts
    if damaged or count == 0 or got + slack < promised:
        raise InputError(
            f"{path}: the video is cut short: {got:.2f} s of {promised:.2f} s can be read ({count} frames)"
        )


def write_frames(path: Path, frames: Tensor, *, fps: float) -> None:
    """Write a clip in the form that the suffix names.

    ``.mp4`` (H.264) and ``.webm`` (VP9) repeat the last row or column of odd sizes, which these
    formats do not have; ``.gif`` has one palette for the whole clip; ``.png`` is a film strip, the
    frames side by side; no suffix is a folder of ``frame-00000.png`` and so on.

    Args:
        path: The file or folder; it appears whole or not at all.
        frames: Frames ``(T, 3, H, W)`` in [0, 1]; values outside are clipped.
        fps: Number of frames a second.

    Raises:
        InputError: The file or folder cannot be written, or the folder exists and holds other things.
    """
    images = (frames.detach().cpu().float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        _write_folder(path, images)
        return
    with replace_file(path) as partial:
        write(partial, images, fps)


def _write_folder(folder: Path, images: np.ndarray) -> None:
    if folder.exists() and not (
        folder.is_dir() and all(_FRAME_NAME.fullmatch(p.name) for p in folder.iterdir())
    ):
        raise InputError(f"{folder}: exists and holds something else than frames; give a new name")
    with replace_directory(folder) as partial:
        for index, image in enumerate(images):
            Image.fromarray(image).save(partial / f"frame-{index:05d}.png")


def _write_strip(path: Path, images: np.ndarray, fps: float) -> None:
    Image.fromarray(np.concatenate(list(images), axis=1)).save(path)


def _write_gif(path: Path, images: np.ndarray, fps: float) -> None:
    save_gif(path, [Image.fromarray(image) for image in images], fps=fps)


def save_gif(path: Path, pictures: list[Image.Image], *, fps: float) -> None:
    """Write an endless animation, with one palette for all pictures so that nothing flickers."""
    width, height = pictures[0].size
    column = Image.new("RGB", (width, height * len(pictures)))
    for index, picture in enumerate(pictures):
        column.paste(picture, (0, index * height))
    flat = column.quantize(256, dither=Image.Dither.NONE)
    indexed = [flat.crop((0, i * height, width, (i + 1) * height)) for i in range(len(pictures))]
    # The format counts in hundredths of a second, and viewers take anything below 2 for "slow".
    duration = max(20, 10 * round(100 / fps))
    indexed[0].save(path, save_all=True, append_images=indexed[1:], duration=duration, loop=0, optimize=False)


def _write_video(codec: str, options: dict[str, str]) -> Callable[[Path, np.ndarray, float], None]:
    def write(path: Path, images: np.ndarray, fps: float) -> None:
        height, width = images.shape[1:3]
        even = np.pad(images, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        # "bitexact" leaves out random identifiers, one thread fixes the encoder's choices: the same
        # frames give the same file.
        with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
            rate = Fraction(fps).limit_denominator(1001)
            stream = cast(av.VideoStream, container.add_stream(codec, rate=rate, options=options))
            stream.height, stream.width, stream.pix_fmt = even.shape[1], even.shape[2], "yuv420p"
            stream.bit_rate = 0  # quality alone decides
            for image in even:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())

    return write


_WRITERS: dict[str, Callable[[Path, np.ndarray, float], None]] = {
    ".mp4": _write_video("libx264", {"crf": "12", "threads": "1"}),
    ".webm": _write_video("libvpx-vp9", {"crf": "12", "threads": "1", "cpu-used": "4"}),
    ".gif": _write_gif,
    ".png": _write_strip,
}
