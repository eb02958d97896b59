"""Landmark distances, on faces drawn for the purpose."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.errors import InputError
from seqdis.video.landmarks import landmark_distances, read_landmarks
from seqdis.video.targets import TARGETS


def _face(left: float, right: float, lips: float) -> Tensor:
    """Eyes 10 apart; upper and lower lids and lips as far apart as is said."""
    points = torch.zeros(68, 2)
    points[36:42] = torch.tensor([-5.0, 0.0])
    points[42:48] = torch.tensor([5.0, 0.0])
    for upper, lower, apart in ((37, 41, left), (38, 40, left), (43, 47, right), (44, 46, right)):
        points[upper, 1], points[lower, 1] = -apart / 2, apart / 2
    for upper, lower in ((61, 67), (62, 66), (63, 65)):
        points[upper, 1], points[lower, 1] = 8.0, 8.0 + lips
    return points


def test_the_three_distances_over_that_of_the_eyes() -> None:
    faces = torch.stack([_face(1, 2, 3), _face(0, 1, 0)])
    wanted = torch.tensor([[0.1, 0.2, 0.3], [0.0, 0.1, 0.0]])
    torch.testing.assert_close(landmark_distances(faces), wanted)


def test_where_and_how_large_and_how_tilted_the_face_is_does_not_matter() -> None:
    faces = _face(1, 2, 3)[None]
    angle = torch.tensor(0.4)
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    torch.testing.assert_close(landmark_distances(7 * faces @ turn + 30), landmark_distances(faces))


@pytest.mark.parametrize("bad", [torch.zeros(2, 5, 2), torch.zeros(68, 2)])
def test_another_markup_is_refused(bad: Tensor) -> None:
    with pytest.raises(InputError, match=r"landmarks of shape .*; allowed: \(T, 68, 2\)"):
        landmark_distances(bad)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_no_face_is_refused(value: float) -> None:
    with pytest.raises(InputError, match="a coordinate is not finite, or both eyes are at one place"):
        landmark_distances(torch.full((1, 68, 2), value))


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "landmarks.npz"
    np.savez(path, **{"a.mp4": torch.stack([_face(1, 2, 3)] * 4).numpy()})
    return path


def test_the_target_reads_the_recordings_of_its_file(
    archive: Path, data_config: Callable[..., DataConfig]
) -> None:
    target, data = TARGETS["landmark_distances"], data_config(landmarks=str(archive))
    values = target.compute(Clip(torch.zeros(4, 3, 16, 16), "a.mp4"), data)
    torch.testing.assert_close(values, torch.tensor([0.1, 0.2, 0.3]).expand(4, 3))
    assert target.inputs is not None
    assert target.inputs(data) == [archive]


def test_messages(archive: Path, tmp_path: Path, data_config: Callable[..., DataConfig]) -> None:
    with pytest.raises(InputError, match=r"has no landmarks of 'b'; it has 1 recordings, such as 'a\.mp4'"):
        read_landmarks(archive, "b", 4)
    with pytest.raises(InputError, match=r"landmarks of 4 frames of 'a\.mp4', which has 5"):
        read_landmarks(archive, "a.mp4", 5)
    (broken := tmp_path / "broken.npz").write_bytes(archive.read_bytes()[:200])
    with pytest.raises(InputError, match=r"broken\.npz: cannot be read as \.npz"):
        read_landmarks(broken, "a.mp4", 4)
    np.save(tmp_path / "single.npy", np.zeros(3))
    with pytest.raises(InputError, match=r"single\.npy: cannot be read as \.npz"):
        read_landmarks(tmp_path / "single.npy", "a.mp4", 4)
    with pytest.raises(InputError, match="No such file"):
        read_landmarks(tmp_path / "absent.npz", "a.mp4", 4)
    with pytest.raises(InputError, match=r"needs data\.options\.landmarks: an npz file"):
        TARGETS["landmark_distances"].compute(Clip(torch.zeros(4, 3, 16, 16), "a.mp4"), data_config())
