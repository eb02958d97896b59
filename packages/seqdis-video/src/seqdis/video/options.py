"""The options of video."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqdis.core.base_config import LONGEST
from seqdis.core.config import Config

__all__ = ["VideoOptions"]


class VideoOptions(Config):
    """The settings by which clips are read and written (``data.options`` of a run)."""

    fps: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="frames a second that clips are sampled at, by their time stamps; every frame when omitted",
    )
    stride: int = Field(1, ge=1, le=LONGEST, description="keep every n-th frame (after fps)")
    output_fps: float | None = Field(
        None,
        gt=0,
        le=240,
        description="frames a second of written videos and animations; when omitted those of the clip that lends the "
        "dynamics, else fps / stride, else 8",
    )
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop",
        description="how a picture of another aspect fills the frame: centre crop, black bars, or distortion",
    )
    white: float | None = Field(
        None, gt=0, description="value of white in pictures of more than 8 bits that do not say it (tiff)"
    )
    decoder: Literal["auto", "pyav", "torchcodec"] = Field(
        "auto", description="library that decodes video files; auto is torchcodec where it works, else PyAV"
    )
    flow: Literal["farneback", "dis"] = Field(
        "farneback", description="OpenCV's estimator of optical flow, for the target 'flow_cells'"
    )
    flow_grid: int = Field(3, ge=1, le=16, description="cells a side of the grid that 'flow_cells' looks at")
    flow_top: int = Field(3, ge=1, le=256, description="cells that count as those of the largest motion")
    landmarks: str | None = Field(
        None, description="npz file of face landmarks, for the target 'landmark_distances'"
    )

    @property
    def playback_fps(self) -> float:
        """Frames a second at which frames are shown that come from no clip."""
        if self.output_fps is not None:
            return self.output_fps
        return self.fps / self.stride if self.fps is not None else _DEFAULT_FPS


_DEFAULT_FPS = 8.0
