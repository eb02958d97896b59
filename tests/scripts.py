"""What stands in for networks whose weights are not here: small TorchScript modules, random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn


class ClipNetwork(nn.Module):
    """I3D's signature: means of each channel over the first and the second half of time, and its corners."""

    def forward(self, x: Tensor, rescale: bool, resize: bool, return_features: bool) -> Tensor:
        if rescale or resize or not return_features:
            raise RuntimeError("called in another way")
        half = x.shape[2] // 2
        early, late = x[:, :, :half].mean(dim=(2, 3, 4)), x[:, :, half:].mean(dim=(2, 3, 4))
        size = torch.tensor([float(x.shape[3]), float(x.shape[4])]).expand(len(x), 2)
        return torch.cat([early, late, size], dim=1)


class Peaks(nn.Module):
    """Where each plane is brightest, ``(N, 3, 2)``; NaN where a frame is black."""

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        place = flat.argmax(dim=2)
        width = x.shape[3]
        points = torch.stack(
            [(place % width).float(), torch.div(place, width, rounding_mode="floor").float()], dim=2
        )
        black = (flat.amax(dim=(1, 2)) == 0)[:, None, None]
        return torch.where(black, torch.full_like(points, float("nan")), points)


class FirstPlane(nn.Module):
    """The mean of the first plane and its complement; NaN where a frame is black."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x[:, 0].mean(dim=(1, 2))
        found = torch.stack([mean, 1 - mean], dim=1)
        black = (x.flatten(1).amax(dim=1) == 0)[:, None]
        return torch.where(black, torch.full_like(found, float("nan")), found)


class Wrong(nn.Module):
    """Of another shape than any network's."""

    def forward(self, x: Tensor) -> Tensor:
        return x.mean()


def written(module: nn.Module, path: Path) -> Path:
    """The module as a TorchScript file."""
    torch.jit.script(module).save(str(path))
    return path


def inception_weights(path: Path) -> Path:
    """Random weights of FID's Inception in the published format, which keep the features' scale."""
    import torchvision  # an extra of seqdis-eval

    network = torchvision.models.inception_v3(
        weights=None, num_classes=1008, aux_logits=False, init_weights=False
    )
    g, state = torch.Generator().manual_seed(0), network.state_dict()
    for tensor in state.values():
        if tensor.ndim == 4:
            tensor.copy_(torch.randn(tensor.shape, generator=g) * (2 / tensor[0].numel()) ** 0.5)
        elif tensor.is_floating_point():
            tensor.copy_(0.75 + 0.5 * torch.rand(tensor.shape, generator=g))
    torch.save(state, path)
    return path
