"""Inception-v3 as FID uses it: TensorFlow's network of 2015, in the form of pytorch-fid's weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.eval.features.weights import WeightFile, read_state_dict

__all__ = ["WEIGHTS", "Inception"]

WEIGHTS = WeightFile(
    "pt_inception-2015-12-05-6726825d.pth",
    "Inception (FID)",
    "https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights",
    "6726825d",
)

Step = tuple[str, int, tuple[int, int]]
"""A convolution: its name in the file, channels, kernel. A name ending in ``/2`` has stride 2 and no padding."""
Branch = Sequence[Step | list[Step] | Literal["mean", "max", "max/2"]]
"""Steps one after the other; a list among them works side by side."""

_ONE, _ROW, _COLUMN = (1, 1), (1, 7), (7, 1)


def _a(pool: int) -> Sequence[Branch]:
    return [
        [("branch1x1", 64, _ONE)],
        [("branch5x5_1", 48, _ONE), ("branch5x5_2", 64, (5, 5))],
        [("branch3x3dbl_1", 64, _ONE), ("branch3x3dbl_2", 96, (3, 3)), ("branch3x3dbl_3", 96, (3, 3))],
        ["mean", ("branch_pool", pool, _ONE)],
    ]


def _b() -> Sequence[Branch]:
    return [
        [("branch3x3/2", 384, (3, 3))],
        [("branch3x3dbl_1", 64, _ONE), ("branch3x3dbl_2", 96, (3, 3)), ("branch3x3dbl_3/2", 96, (3, 3))],
        ["max/2"],
    ]


def _c(inner: int) -> Sequence[Branch]:
    double = [_ONE, _COLUMN, _ROW, _COLUMN, _ROW]
    widths = [inner] * 4 + [192]
    return [
        [("branch1x1", 192, _ONE)],
        [("branch7x7_1", inner, _ONE), ("branch7x7_2", inner, _ROW), ("branch7x7_3", 192, _COLUMN)],
        [(f"branch7x7dbl_{i}", w, k) for i, (w, k) in enumerate(zip(widths, double, strict=True), 1)],
        ["mean", ("branch_pool", 192, _ONE)],
    ]


def _d() -> Sequence[Branch]:
    return [
        [("branch3x3_1", 192, _ONE), ("branch3x3_2/2", 320, (3, 3))],
        [
            *[(f"branch7x7x3_{i}", 192, kernel) for i, kernel in enumerate((_ONE, _ROW, _COLUMN), 1)],
            ("branch7x7x3_4/2", 192, (3, 3)),
        ],
        ["max/2"],
    ]


def _e(pool: Literal["mean", "max"]) -> Sequence[Branch]:
    return [
        [("branch1x1", 320, _ONE)],
        [("branch3x3_1", 384, _ONE), [("branch3x3_2a", 384, (1, 3)), ("branch3x3_2b", 384, (3, 1))]],
        [
            ("branch3x3dbl_1", 448, _ONE),
            ("branch3x3dbl_2", 384, (3, 3)),
            [("branch3x3dbl_3a", 384, (1, 3)), ("branch3x3dbl_3b", 384, (3, 1))],
        ],
        [pool, ("branch_pool", 192, _ONE)],
    ]


# TensorFlow's graph leaves padding out of the mean pools, and its last block pools by the maximum.
_BLOCKS: dict[str, Sequence[Branch]] = {
    "Mixed_5b": _a(32), "Mixed_5c": _a(64), "Mixed_5d": _a(64), "Mixed_6a": _b(),
    "Mixed_6b": _c(128), "Mixed_6c": _c(160), "Mixed_6d": _c(160), "Mixed_6e": _c(192),
    "Mixed_7a": _d(), "Mixed_7b": _e("mean"), "Mixed_7c": _e("max"),
}  # fmt: skip


class _Convolution(nn.Module):
    def __init__(self, inner: int, outer: int, kernel: tuple[int, int], stride: int, *, same: bool) -> None:
        super().__init__()
        padding = (kernel[0] // 2, kernel[1] // 2) if same else (0, 0)
        self.conv = nn.Conv2d(inner, outer, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outer, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(x)))


class _Mixed(nn.Module):
    """Branches side by side, their channels one after the other."""

    def __init__(self, inner: int, branches: Sequence[Branch]) -> None:
        super().__init__()
        self.branches, self.width = branches, 0
        for branch in branches:
            width = inner
            for step in branch:
                if isinstance(step, str):
                    continue
                ends = step if isinstance(step, list) else [step]
                for name, outer, kernel in ends:
                    strided = name.endswith("/2")
                    layer = _Convolution(width, outer, kernel, 1 + strided, same=not strided)
                    self.add_module(name.removesuffix("/2"), layer)
                width = sum(outer for _, outer, _ in ends)
            self.width += width

    def _apply_step(self, x: Tensor, step: Step | list[Step] | str) -> Tensor:
        if step == "mean":
            return F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)
        if isinstance(step, str):
            return (
                F.max_pool2d(x, 3, stride=2) if step == "max/2" else F.max_pool2d(x, 3, stride=1, padding=1)
            )
        if isinstance(step, list):
            return torch.cat([self._apply_step(x, end) for end in step], dim=1)
        return self.get_submodule(step[0].removesuffix("/2"))(x)

    def forward(self, x: Tensor) -> Tensor:
        parts = []
        for branch in self.branches:
            y = x
            for step in branch:
                y = self._apply_step(y, step)
            parts.append(y)
        return torch.cat(parts, dim=1)


class Inception(nn.Module):
    """The 2048 pooled features of Inception-v3 (Szegedy et al. 2016) that FID compares (Heusel et al. 2017).

    Frames are rounded to 8 bits, as picture files hold them, resized to 299×299 bilinearly and scaled to [-1, 1].
    The parameters' names are those of pytorch-fid's file.
    """

    name = "Inception-v3, 2015-12-05 (pytorch-fid)"

    def __init__(self) -> None:
        super().__init__()
        self.Conv2d_1a_3x3 = _Convolution(3, 32, (3, 3), 2, same=False)
        self.Conv2d_2a_3x3 = _Convolution(32, 32, (3, 3), 1, same=False)
        self.Conv2d_2b_3x3 = _Convolution(32, 64, (3, 3), 1, same=True)
        self.Conv2d_3b_1x1 = _Convolution(64, 80, (1, 1), 1, same=False)
        self.Conv2d_4a_3x3 = _Convolution(80, 192, (3, 3), 1, same=False)
        width = 192
        for name, branches in _BLOCKS.items():
            block = _Mixed(width, branches)
            self.add_module(name, block)
            width = block.width

    @classmethod
    def open(cls, path: Path | None = None, *, device: torch.device | str = "cpu") -> Inception:
        """With the published weights.

        Raises:
            InputError: The file is absent or another one; see :meth:`WeightFile.find`.
        """
        place = WEIGHTS.find(path)
        network = cls()
        state = {k: v for k, v in read_state_dict(place).items() if not k.startswith(("fc.", "AuxLogits."))}
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            raise InputError(
                f"{place}: its tensors are not Inception's: {str(error).splitlines()[-1].strip()}"
            ) from error
        return network.eval().requires_grad_(False).to(device)

    @torch.no_grad()
    def forward(self, frames: Tensor) -> Tensor:
        """See :class:`~seqdis.eval.features.networks.FrameFeatures`."""
        x = frames.to(self.Conv2d_1a_3x3.conv.weight.device)
        x = (x.clamp(0, 1) * 255).round() / 255
        x = 2 * F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False) - 1
        x = self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x)))
        x = self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(F.max_pool2d(x, 3, stride=2)))
        x = F.max_pool2d(x, 3, stride=2)
        for name in _BLOCKS:
            x = self.get_submodule(name)(x)
        return x.mean((2, 3)).cpu()
