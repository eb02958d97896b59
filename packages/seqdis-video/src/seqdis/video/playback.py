"""The rate and the sound of a clip that is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.video.index_store import file_version, load_index
from seqdis.video.io import CONTAINERS
from seqdis.video.options import VideoOptions

__all__ = ["Playback", "SoundSpan", "playback_of"]

_SAME_RATE = 0.01
"""Relative difference of two rates below which sound and pictures stay together."""


@dataclass(frozen=True)
class SoundSpan:
    """A stretch of a file's sound.

    Attributes:
        path: The path of the file.
        first: The beginning of the stretch on the file's own clock, in s.
        last: The end of the stretch on the file's own clock, in s.
    """

    path: Path
    first: float
    last: float


@dataclass(frozen=True)
class Playback:
    """The rate and the sound of a written clip.

    Attributes:
        fps: Frames a second.
        sound: The stretch of sound that is heard; None for silence.
    """

    fps: float
    sound: SoundSpan | None = None


def playback_of(options: VideoOptions, source: DynamicsSource | None, *, steps: int) -> Playback:
    """The playback of a clip whose dynamics come from a file: the file's rate, and its sound.

    Where ``output_fps`` names another rate, it plays at that one, in silence.

    Args:
        options: The options of video.
        source: The file that lends the dynamics; None where they come from no file.
        steps: Number of frames of the clip.

    Raises:
        InputError: The file cannot be used.
    """
    if source is None or source.path.is_dir():
        return Playback(options.playback_fps)
    index = load_index(source.path, file_version(source.path))
    shown = index.shown(source.path, fps=options.fps, stride=options.stride)
    times: np.ndarray
    if options.fps is not None:
        times = np.arange(len(shown) + 1) * options.stride / options.fps
    elif (index.repeats > 1).any():
        times = np.arange(len(shown) + 1) * options.stride * index.duration / float(index.repeats.sum())
    else:
        times = np.append(index.seconds[shown], index.duration)
    first, last = (float(times[min(step, len(shown))]) for step in (source.start, source.start + steps))
    count = min(source.start + steps, len(shown)) - source.start
    if last <= first or count < 1:
        return Playback(options.playback_fps)
    rate = count / (last - first)
    fps = options.output_fps or rate
    heard = source.path.suffix.lower() in CONTAINERS and abs(fps / rate - 1) <= _SAME_RATE
    return Playback(fps, SoundSpan(source.path, index.begin + first, index.begin + last) if heard else None)
