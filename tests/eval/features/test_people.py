"""Faces and bodies: what our side does with what the libraries give."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.features.bodies import BodyJoints
from seqdis.eval.features.faces import FaceIdentity, FaceLandmarks


def test_the_largest_face_of_a_picture_counts_and_none_is_nan() -> None:
    seen: list[np.ndarray] = []
    small, large = np.zeros((68, 2)), np.zeros((68, 2))
    small[-1], large[-1] = (2, 2), (5, 3)
    answers: list[Any] = [[small, large], None, []]

    def find(picture: np.ndarray) -> Any:
        seen.append(picture)
        return answers[len(seen) - 1]

    points = FaceLandmarks(find)(torch.full((3, 3, 4, 6), 0.5))
    assert points.shape == (3, 68, 2)
    assert points[0, -1].tolist() == [5, 3]
    assert bool(points[1:].isnan().all())
    assert (seen[0].shape, seen[0].dtype, int(seen[0].max())) == ((4, 6, 3), np.uint8, 128)


def test_faces_are_embedded_where_they_are_found() -> None:
    faces = [torch.full((3, 160, 160), 0.25), None, torch.full((3, 160, 160), -1.0)]
    network = FaceIdentity(lambda _: faces, lambda x: x.mean((1, 2, 3))[:, None].expand(-1, 512))
    found = network(torch.zeros(3, 3, 8, 8))
    assert found[0, 0] == 0.25
    assert found[2, 0] == -1
    assert bool(found[1].isnan().all())
    none = FaceIdentity(lambda x: [None] * len(x), lambda x: x)(torch.zeros(2, 3, 8, 8))
    assert none.shape == (2, 512)
    assert bool(none.isnan().all())


def test_the_surest_person_counts_and_has_a_neck() -> None:
    joints = torch.zeros(2, 17, 3)
    joints[1, 5, :2], joints[1, 6, :2] = torch.tensor([2.0, 4.0]), torch.tensor([4.0, 8.0])
    answers = [
        {"scores": torch.tensor([0.6, 0.9]), "keypoints": joints},
        {"scores": torch.tensor([0.3]), "keypoints": joints[:1]},
        {"scores": torch.zeros(0), "keypoints": joints[:0]},
    ]
    points = BodyJoints(lambda _: answers)(torch.zeros(3, 3, 8, 8))
    assert points.shape == (3, 18, 2)
    assert points[0, 17].tolist() == [3, 6]
    assert bool(points[1:].isnan().all())


@pytest.mark.parametrize(
    ("module", "opener", "message"),
    [
        (
            "face_alignment",
            FaceLandmarks.open,
            "face-alignment is not installed: pip install 'seqdis-eval[faces]'",
        ),
        (
            "facenet_pytorch",
            FaceIdentity.open,
            "facenet-pytorch is not installed: pip install 'seqdis-eval[faces]'",
        ),
        (
            "torchvision.models",
            BodyJoints.open,
            "torchvision is not installed: pip install 'seqdis-eval[bodies]'",
        ),
    ],
)
def test_a_library_that_is_absent_is_named(
    module: str, opener: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InputError) as error:
        opener()
    assert str(error.value).endswith(message)


def test_weights_that_are_absent_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    library = type(sys)("library")
    for module in ("face_alignment", "facenet_pytorch", "torchvision", "torchvision.models"):
        monkeypatch.setitem(sys.modules, module, library)
    library.models = library.detection = library  # type: ignore[attr-defined]
    for opener, file in (
        (FaceLandmarks.open, r"2DFAN4-11f355bf06\.pth\.tar, SHA-256 11f355bf06…"),
        (FaceIdentity.open, r"20180402-114759-vggface2\.pt; looked for"),
        (BodyJoints.open, r"keypointrcnn_resnet50_fpn_coco-fc266e95\.pth, SHA-256 fc266e95…"),
    ):
        with pytest.raises(InputError, match=f"no weights {file}"):
            opener()
