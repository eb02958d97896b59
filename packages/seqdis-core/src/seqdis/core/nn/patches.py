"""Pictures as maps of patches: a network of few places with many channels instead of many with few."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from seqdis.core.errors import InputError

__all__ = ["PatchedDenoiser", "patched_shape"]


def patched_shape(frame_shape: tuple[int, ...], patch: int) -> tuple[int, ...]:
    """Shape ``(C·p², H/p, W/p)`` of a picture ``(C, H, W)`` whose patches of p×p pixels are places of a map.

    Raises:
        InputError: The frame is no picture, or the patch does not divide its sides.
    """
    if patch == 1:
        return frame_shape
    if len(frame_shape) != 3 or any(side % patch for side in frame_shape[1:]):
        raise InputError(
            f"patches of {patch}x{patch} in frames of shape {frame_shape}; the patch must divide both sides of a "
            "picture (C, H, W)"
        )
    channels, height, width = frame_shape
    return channels * patch**2, height // patch, width // patch


class PatchedDenoiser(nn.Module):
    """``F(x, …) = shuffle(N(unshuffle(x), …))``: a denoiser of patches (Hoogeboom et al. 2023, "simple diffusion").

    Each level of a U-Net costs the same where halved sides meet doubled channels, but for the first, whose channels
    are few and whose places are many: a processor that is limited by memory spends most of its time there.

    Args:
        network: N, a denoiser of frames ``(C·p², H/p, W/p)``.
        patch: Side p of a patch, in pixels.
    """

    def __init__(self, network: nn.Module, patch: int) -> None:
        super().__init__()
        self.network, self.patch = network, patch

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        """``x (N, C, H, W)`` and conditions to the shape of ``x``."""
        out: Tensor = self.network(functional.pixel_unshuffle(x, self.patch), c_noise, z)
        return functional.pixel_shuffle(out, self.patch)
