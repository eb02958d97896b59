"""Bodies: 18 joints by torchvision's Keypoint R-CNN."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.eval.features.weights import WeightFile, load_weights, read_state_dict

__all__ = ["BodyJoints"]

JOINTS_FILE = WeightFile(
    "keypointrcnn_resnet50_fpn_coco-fc266e95.pth",
    "body joints (Keypoint R-CNN)",
    "the address that torchvision.models.detection.KeypointRCNN_ResNet50_FPN_Weights.COCO_V1.url names",
    "fc266e95",
)
_SHOULDERS = (5, 6)
_SURE = 0.5
"""Score from which a detected person counts."""


class BodyJoints:
    """The 17 joints of COCO of the surest person, and the neck between the shoulders (He et al. 2017).

    DiffSDA's App. E takes OpenPose (Cao et al. 2017), whose 18 joints these are; the two detectors' errors differ.

    Args:
        detect: Takes pictures ``(3, H, W)`` in [0, 1] and gives ``scores (P,)`` and ``keypoints (P, 17, 3)`` each.
        device: Device on which it runs.
    """

    name = "torchvision, Keypoint R-CNN (17 joints and the neck)"

    def __init__(
        self,
        detect: Callable[[list[Tensor]], list[Mapping[str, Tensor]]],
        *,
        device: torch.device | str = "cpu",
    ) -> None:
        self._detect, self._device = detect, device

    @classmethod
    def open(cls, path: Path | None = None, *, device: torch.device | str = "cpu") -> BodyJoints:
        """With torchvision and its published weights.

        Raises:
            InputError: The library or the file is absent.
        """
        try:
            from torchvision.models import detection
        except ImportError as error:
            raise InputError(
                "body joints: torchvision is not installed: pip install 'seqdis-eval[bodies]'"
            ) from error
        library: Any = detection  # an extra: types must be the same with and without it
        file = JOINTS_FILE.find(path)
        state = read_state_dict(file)
        network = library.keypointrcnn_resnet50_fpn(weights=None, weights_backbone=None)
        load_weights(network, state, file, what=cls.name)
        return cls(network.eval().requires_grad_(False).to(device), device=device)

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Like the method that it implements; see :class:`~seqdis.eval.features.networks.Keypoints`."""
        points = torch.full((len(frames), 18, 2), float("nan"))
        people = self._detect([frame.to(self._device) for frame in frames.clamp(0, 1)])
        for row, person in enumerate(people):
            scores = person["scores"]
            if len(scores) and float(scores.max()) >= _SURE:
                joints = person["keypoints"][int(scores.argmax()), :, :2].float().cpu()
                neck = joints[list(_SHOULDERS)].mean(0, keepdim=True)
                points[row] = torch.cat([joints, neck])
        return points
