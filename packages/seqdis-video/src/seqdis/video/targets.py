"""The targets of video: the places that move, and the distances within a face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from seqdis.core.config import DataConfig, parse_config
from seqdis.core.data.clip import Clip
from seqdis.core.data.targets import Target
from seqdis.core.errors import InputError
from seqdis.video.flow import flow_cells, opencv_flow
from seqdis.video.landmarks import landmark_distances, read_landmarks
from seqdis.video.options import VideoOptions

__all__ = ["TARGETS"]


def _options(data: DataConfig) -> VideoOptions:
    return parse_config(VideoOptions, data.options, where="video options")


def _flow_cells(clip: Clip, data: DataConfig) -> Tensor:
    options = _options(data)
    estimate = opencv_flow(options.flow, side=min(clip.frames.shape[-2:]))
    return flow_cells(clip.frames, estimate, grid=options.flow_grid, top=options.flow_top)


def _landmarks_file(data: DataConfig) -> Path:
    named = _options(data).landmarks
    if named is None:
        raise InputError(
            "target 'landmark_distances' needs data.options.landmarks: an npz file with the 68 landmarks of "
            "every recording, (T, 68, 2), named by its key"
        )
    return Path(named).expanduser()


def _landmark_files(data: DataConfig) -> Sequence[Path]:
    return [_landmarks_file(data)]


def _landmark_distances(clip: Clip, data: DataConfig) -> Tensor:
    return landmark_distances(read_landmarks(_landmarks_file(data), clip.key, len(clip.frames)))


TARGETS: Mapping[str, Target] = {
    "flow_cells": Target("the cells of a grid with the largest optical flow", _flow_cells),
    "landmark_distances": Target(
        "distances between eyelids and between lips, from a file of landmarks",
        _landmark_distances,
        inputs=_landmark_files,
    ),
}
