"""Optical flow: what moves where is drawn, and must be found there."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.errors import InputError
from seqdis.video.flow import FlowEstimator, flow_cells, opencv_flow
from seqdis.video.targets import TARGETS


def _textured(side: int, seed: int = 0) -> np.ndarray:
    """A smooth random picture: flow can be told everywhere in it."""
    rng = np.random.default_rng(seed)
    coarse = torch.from_numpy(rng.random((1, 1, side // 4, side // 4), dtype=np.float32))
    fine = torch.nn.functional.interpolate(coarse, size=(side, side), mode="bicubic")
    return fine[0, 0].clamp(0, 1).numpy()


def _one_cell_moves(side: int, cell: int, steps: int, pixels: int = 2) -> Tensor:
    """A picture that stands still but for one cell of the 3×3 grid, whose texture wanders to the right."""
    still, moving = _textured(side), _textured(2 * side, 1)
    row, column = divmod(cell, 3)
    third = side // 3
    frames = np.repeat(still[None], steps, 0)
    for step in range(steps):
        shift = pixels * step
        frames[step, row * third : (row + 1) * third, column * third : (column + 1) * third] = moving[
            :third, 20 - shift : 20 - shift + third
        ]
    return torch.from_numpy(frames)[:, None].expand(-1, 3, -1, -1)


@pytest.mark.parametrize(("kind", "side"), [("farneback", 24), ("farneback", 66), ("dis", 66)])
@pytest.mark.parametrize("cell", [0, 4, 8])
def test_the_cell_that_moves_is_found(kind: str, side: int, cell: int) -> None:
    estimate = opencv_flow(kind, side=side)  # type: ignore[arg-type]
    cells = flow_cells(_one_cell_moves(side, cell, 5), estimate, grid=3, top=1)
    assert cells.argmax(1).tolist() == [cell] * 5
    torch.testing.assert_close(cells.sum(1), torch.ones(5))


@pytest.mark.parametrize("kind", ["farneback", "dis"])
def test_a_shift_is_measured_in_pixels(kind: str) -> None:
    picture = (_textured(96) * 255).astype(np.uint8)
    flow = opencv_flow(kind, side=64)(picture[16:80, 16:80], picture[16:80, 14:78])  # type: ignore[arg-type]
    inside = flow[12:-12, 12:-12]
    assert np.abs(np.median(inside, (0, 1)) - [2, 0]).max() < 0.25


def _speeds(*fields: np.ndarray) -> FlowEstimator:
    """An estimator of one's own: it keeps the protocol, and gives these fields one after another."""
    waiting = iter(fields)

    def estimate(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        flow = np.zeros((*before.shape, 2), dtype=np.float32)
        flow[..., 1] = next(waiting)
        return flow

    return estimate


def test_the_k_cells_of_largest_mean_magnitude_share_the_mass() -> None:
    field = np.zeros((6, 6))
    field[:2, :2], field[2:4, 4:], field[4:, 2:4], field[4:, 4:] = 3, -5, 0.5, 0.01
    cells = flow_cells(torch.zeros(2, 3, 6, 6), _speeds(field), grid=3, top=2)
    assert cells[1].tolist() == [0.5, 0, 0, 0, 0, 0.5, 0, 0, 0]
    # The fourth moves less than anything that counts as motion: three share, though five may.
    cells = flow_cells(torch.zeros(2, 3, 6, 6), _speeds(field), grid=3, top=5)
    torch.testing.assert_close(cells[1], torch.tensor([1, 0, 0, 0, 0, 1, 0, 1, 0]) / 3)


def test_a_steps_motion_is_that_from_the_frame_before_and_the_first_step_has_its_successors() -> None:
    first, second = np.zeros((4, 4)), np.zeros((4, 4))
    first[0, 0], second[3, 3] = 9, 9
    cells = flow_cells(torch.zeros(3, 1, 4, 4), _speeds(first, second), grid=2, top=1)
    assert cells.argmax(1).tolist() == [0, 0, 3]


@pytest.mark.parametrize("steps", [1, 3])
def test_where_nothing_moves_no_cell_does(steps: int) -> None:
    still = torch.from_numpy(_textured(24)).expand(steps, 3, -1, -1)
    cells = flow_cells(still, opencv_flow("farneback", side=24), grid=3, top=3)
    assert torch.equal(cells, torch.zeros(steps, 9))


def test_bytes_and_numbers_are_the_same_frames() -> None:
    frames = (_one_cell_moves(24, 4, 3) * 255).round().byte()
    estimate = opencv_flow("farneback", side=24)
    a, b = (flow_cells(f, estimate, grid=3, top=3) for f in (frames, frames.float() / 255))
    assert torch.equal(a, b)


@pytest.mark.parametrize(("grid", "top"), [(3, 10), (30, 1)])
def test_a_grid_that_does_not_fit_is_refused(grid: int, top: int) -> None:
    with pytest.raises(InputError, match=rf"flow: top {top} of a {grid}×{grid} grid on frames of \(24, 24\)"):
        flow_cells(torch.zeros(2, 3, 24, 24), opencv_flow("farneback", side=24), grid=grid, top=top)


def test_dis_needs_room() -> None:
    with pytest.raises(InputError, match="flow 'dis' needs frames of 32 pixels or more; got 16"):
        opencv_flow("dis", side=16)


def test_without_opencv_the_message_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(
        InputError, match=r"needs OpenCV: pip install 'seqdis-video\[flow\]'.*prediction_weight=0"
    ):
        opencv_flow("farneback", side=16)


def test_the_target_follows_the_runs_options(data_config: Callable[..., DataConfig]) -> None:
    clip = Clip(_one_cell_moves(24, 4, 4), "a")
    coarse = TARGETS["flow_cells"].compute(clip, data_config(size=24, flow_grid=2, flow_top=2))
    assert coarse.shape == (4, 4)
    assert set(coarse.flatten().tolist()) <= {0.0, 0.5, 1.0}
