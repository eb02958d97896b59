"""The frame shape that is taken from a person's own clip."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.video.encoding import encode, moving, quarter_turn

from seqdis.core.config import DataConfig
from seqdis.video import VideoModality
from seqdis.video.frame_size import frame_size


@pytest.mark.parametrize(
    ("width", "height", "expected"),
    [
        (1920, 1080, (64, 112)),
        (1080, 1920, (112, 64)),
        (256, 256, (64, 64)),
        (640, 480, (64, 80)),
        (64, 64, (64, 64)),
        (28, 28, (32, 32)),
        (4, 4, (16, 16)),
    ],
)
def test_the_proportions_stay_and_networks_can_take_it(
    width: int, height: int, expected: tuple[int, int]
) -> None:
    assert frame_size(width, height) == expected


def test_what_is_open_is_taken_from_the_clip(tmp_path: Path) -> None:
    data = DataConfig(dataset="folder", length=6, frame_shape=())
    colour = encode(tmp_path / "a.mp4", moving(5, height=72, width=128), matrix=quarter_turn(1))
    assert VideoModality().complete_from(data, colour).frame_shape == (3, 112, 64)
    grey = encode(tmp_path / "b.mp4", moving(5, height=72, width=128)[..., :1].repeat(3, -1))
    assert VideoModality().complete_from(data, grey).frame_shape == (1, 64, 112)
    fixed = data.model_copy(update={"frame_shape": (3, 16, 16)})
    assert VideoModality().complete_from(fixed, colour).frame_shape == (3, 16, 16)
    assert np.prod(VideoModality().complete_from(data, colour).frame_shape) == 3 * 112 * 64
    assert VideoModality().complete(data, [grey, grey]).frame_shape == (1, 64, 112)
    assert VideoModality().complete(data, [grey, colour]).frame_shape == (3, 64, 112)
