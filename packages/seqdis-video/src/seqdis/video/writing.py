"""Writing clips: PyAV for video files, Pillow for gif, strips and folders of images."""

from __future__ import annotations

import re
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from PIL import Image
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.files import replace_directory, replace_file
from seqdis.video.playback import SoundSpan
from seqdis.video.sound_track import copy_sound

__all__ = ["save_gif", "write_frames"]

_Writer = Callable[[Path, np.ndarray, float, SoundSpan | None], None]
_FRAME_NAME = re.compile(r"frame-\d{5,}\.png")


def write_frames(path: Path, frames: Tensor, *, fps: float, sound: SoundSpan | None = None) -> None:
    """Write a clip in the form that the suffix names.

    ``.mp4`` (H.264) and ``.webm`` (VP9) repeat the last row or column of odd sizes, which these
    formats do not have; ``.gif`` has one palette for the whole clip; ``.png`` is a film strip, the
    frames side by side; no suffix is a folder of ``frame-00000.png`` and so on.

    Args:
        path: The file or folder; it appears whole or not at all.
        frames: Frames ``(T, 3, H, W)`` in [0, 1]; values outside are clipped.
        fps: Number of frames a second.
        sound: The sound of another video, for ``.mp4`` and ``.webm``, which is copied without being encoded again.

    Raises:
        InputError: The file or folder cannot be written, or the folder exists and holds other things.
    """
    images = (frames.detach().cpu().float().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    write = _WRITERS.get(path.suffix.lower())
    if write is None:
        _write_folder(path, images)
        return
    with replace_file(path) as partial:
        write(partial, images, fps, sound)


def _write_folder(folder: Path, images: np.ndarray) -> None:
    if folder.exists() and not (
        folder.is_dir() and all(_FRAME_NAME.fullmatch(p.name) for p in folder.iterdir())
    ):
        raise InputError(f"{folder}: exists and holds something else than frames; give a new name")
    with replace_directory(folder) as partial:
        for index, image in enumerate(images):
            Image.fromarray(image).save(partial / f"frame-{index:05d}.png")


def _write_strip(path: Path, images: np.ndarray, fps: float, sound: SoundSpan | None) -> None:
    Image.fromarray(np.concatenate(list(images), axis=1)).save(path)


def _write_gif(path: Path, images: np.ndarray, fps: float, sound: SoundSpan | None) -> None:
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


def _write_video(codec: str, options: dict[str, str]) -> _Writer:
    def write(path: Path, images: np.ndarray, fps: float, sound: SoundSpan | None) -> None:
        height, width = images.shape[1:3]
        even = np.pad(images, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        # "bitexact" leaves out random identifiers, one thread fixes the encoder's choices: the same
        # frames give the same file.
        with av.open(str(path), "w", options={"fflags": "+bitexact"}) as container:
            rate = Fraction(fps).limit_denominator(1001)
            stream = cast(av.VideoStream, container.add_stream(codec, rate=rate, options=options))
            stream.height, stream.width, stream.pix_fmt = even.shape[1], even.shape[2], "yuv420p"
            stream.bit_rate = 0  # quality alone decides
            if sound is not None:
                container.mux(copy_sound(sound, container))
            for image in even:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
            container.mux(stream.encode())

    return write


_WRITERS: dict[str, _Writer] = {
    ".mp4": _write_video("libx264", {"crf": "12", "threads": "1"}),
    ".webm": _write_video("libvpx-vp9", {"crf": "12", "threads": "1", "cpu-used": "4"}),
    ".gif": _write_gif,
    ".png": _write_strip,
}
