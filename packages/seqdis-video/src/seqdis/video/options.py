"""The options of video."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqdis.core.config import Config

__all__ = ["VideoOptions"]


class VideoOptions(Config):
    """The settings by which clips are read and written (``data.options`` of a run)."""

    fps: float = Field(8.0, gt=0, le=240, description="frames a second of written videos and animations")
    read_fps: float | None = Field(
        None, gt=0, le=1000, description="resample clips to this many frames a second; None keeps every frame"
    )
    stride: int = Field(1, ge=1, description="keep every n-th frame (after read_fps)")
    fit: Literal["crop", "pad", "stretch"] = Field(
        "crop",
        description="how a picture of another aspect fills the frame: centre crop, black bars, or distortion",
    )
    flow: Literal["farneback", "dis"] = Field(
        "farneback", description="OpenCV's estimator of optical flow, for the target 'flow_cells'"
    )
    flow_grid: int = Field(3, ge=1, le=16, description="cells a side of the grid that 'flow_cells' looks at")
    flow_top: int = Field(3, ge=1, description="cells that count as those of the largest motion")
    landmarks: str | None = Field(
        None, description="npz file of face landmarks, for the target 'landmark_distances'"
    )
