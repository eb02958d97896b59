"""Optical flow, from any estimator that keeps the protocol; OpenCV's two are here."""

from __future__ import annotations

import itertools
from typing import Any, Literal, Protocol

import numpy as np
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.video.sampling import to_grey

__all__ = ["FlowEstimator", "flow_cells", "opencv_flow"]

_STILL = 0.05
"""Pixels a frame; a cell that moves less on average holds rounding and noise, not motion."""


class FlowEstimator(Protocol):
    """An estimator of how far every pixel moved between two frames."""

    def __call__(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Estimate displacements ``(H, W, 2)`` in pixels between two grey frames ``(H, W)`` uint8."""
        ...


def opencv_flow(kind: Literal["farneback", "dis"], *, side: int) -> FlowEstimator:
    """Farnebäck's polynomial expansion (2003), or dense inverse search (Kroeger et al. 2016), of OpenCV.

    Args:
        kind: The algorithm, ``"farneback"`` or ``"dis"``.
        side: The smaller side of the frames in pixels; windows are scaled to it.

    Raises:
        InputError: OpenCV is not installed, or the frames are too small for the estimator.
    """
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            "target 'flow_cells' needs OpenCV: pip install 'seqdis-video[flow]'; "
            "or train without it: model.prediction_weight=0"
        ) from error
    library: Any = cv2  # an extra: types must be the same with and without it
    if kind == "dis":
        if side < 32:
            raise InputError(f"flow 'dis' needs frames of 32 pixels or more; got {side}; allowed: farneback")
        search = library.DISOpticalFlow.create(library.DISOPTICAL_FLOW_PRESET_MEDIUM)

        def inverse_search(before: np.ndarray, after: np.ndarray) -> np.ndarray:
            flow: np.ndarray = search.calc(np.ascontiguousarray(before), np.ascontiguousarray(after), None)
            return flow

        return inverse_search
    settings = {
        "pyr_scale": 0.5,
        "levels": max(1, int(np.log2(side / 8))),
        "winsize": max(5, side // 5),
        "iterations": 3,
        "poly_n": 5,
        "poly_sigma": 1.1,
        "flags": 0,
    }

    def farneback(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        flow: np.ndarray = library.calcOpticalFlowFarneback(before, after, None, **settings)
        return flow

    return farneback


def flow_cells(frames: Tensor, estimate: FlowEstimator, *, grid: int, top: int) -> Tensor:
    """A map of the largest motion (S3VAE, Sec. 4.2): 1/k at the k cells of largest mean flow magnitude.

    A step's flow is that from the frame before it, which its posterior has seen; the first step takes
    that to its successor. Cells that stand still are not among the k; a step in which all of them do
    is 0 everywhere.

    Args:
        frames: Frames ``(T, 3, H, W)`` or ``(T, 1, H, W)``, in [0, 1] or as bytes.
        estimate: Estimator of the flow between two frames.
        grid: Number of cells along a side.
        top: Number of cells to mark, k.

    Returns:
        ``(T, grid²)``; each row sums to 1 or is 0.

    Raises:
        InputError: ``top`` is above the number of cells, or the frames are smaller than the grid.
    """
    if top > grid**2 or min(frames.shape[2:]) < grid:
        raise InputError(
            f"flow: top {top} of a {grid}×{grid} grid on frames of {tuple(frames.shape[2:])}; "
            f"allowed: at most {grid**2}, and frames no smaller than the grid"
        )
    pixels = frames if frames.dtype == torch.uint8 else (frames.clamp(0, 1) * 255).round().byte()
    grey = to_grey(pixels)[:, 0].numpy()
    flows = [estimate(before, after) for before, after in itertools.pairwise(grey)]
    rows = [_marks(np.linalg.norm(flow, axis=2), grid, top) for flow in flows]
    return torch.stack([*rows[:1], *rows]) if rows else torch.zeros(1, grid**2)


def _marks(magnitude: np.ndarray, grid: int, top: int) -> Tensor:
    bands = [np.array_split(row, grid, axis=1) for row in np.array_split(magnitude, grid, axis=0)]
    means = torch.tensor([[float(cell.mean()) for cell in row] for row in bands]).flatten()
    best = torch.zeros_like(means)
    best[means.topk(top).indices] = 1
    best *= means > _STILL
    return best / best.sum().clamp(min=1)
