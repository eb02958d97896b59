"""A bank of decoders whose weights are blended anew for every sequence (VDSM, Sec. 3.1)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["BlendedConvTranspose2d", "MixtureDecoder"]

_APART = 0.2
_SLOPE = 0.2


class BlendedConvTranspose2d(nn.Module):
    """``y_b = Wᵀ_b ∗ x_b + β_b`` with ``W_b = Σ_n m_bn W_n``, ``β_b = Σ_n m_bn β_n``: one convolution a sequence.

    All sequences are convolved at once, as groups of one convolution.

    Args:
        experts: Number of sets of weights, N.
        inputs: Channels of the input.
        outputs: Channels of the result.
        kernel: Side of the kernel, in pixels.
        stride: Factor by which the sides grow, before the padding is cut.
        padding: Pixels cut from each border of the result.
        gain: Scale of fresh weights, whose standard deviation is ``gain / √inputs``.
    """

    def __init__(
        self,
        experts: int,
        inputs: int,
        outputs: int,
        *,
        kernel: int,
        stride: int = 1,
        padding: int = 0,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.stride, self.padding = stride, padding
        # Experts start near one another: the mean of independent ones would have 1/√N of their scale, in every layer.
        common, own = (
            torch.empty(inputs, outputs, kernel, kernel),
            torch.empty(experts, inputs, outputs, kernel, kernel),
        )
        nn.init.normal_(common, std=gain * inputs**-0.5)
        nn.init.normal_(own, std=_APART * gain * inputs**-0.5)
        self.weight = nn.Parameter(common + own)
        self.bias = nn.Parameter(torch.zeros(experts, outputs))

    def forward(self, x: Tensor, mixture: Tensor) -> Tensor:
        """Frames of B sequences side by side as channels, ``(V, B·inputs, H, W)`` to ``(V, B·outputs, H', W')``.

        Args:
            x: Frames ``(V, B·inputs, H, W)``; frame τ of sequence b has the channels ``b·inputs`` and on.
            mixture: Weights ``m (B, N)`` of the experts, rows that sum to 1.
        """
        weight = (mixture @ self.weight.flatten(1)).reshape(
            -1, *self.weight.shape[2:]
        )  # (B·inputs, outputs, k, k)
        return F.conv_transpose2d(
            x,
            weight.to(x.dtype),
            (mixture @ self.bias).flatten().to(x.dtype),
            stride=self.stride,
            padding=self.padding,
            groups=len(mixture),
        )


class MixtureDecoder(nn.Module):
    """``x̂^τ = DEC_m(s, z^τ)``: transposed convolutions with leaky ReLUs, weights blended by ``m`` (VDSM, Sec. 3.1).

    A 4×4 map from ``{s, z^τ}``, then layers that double its side.

    Args:
        experts: Number of experts, N.
        inputs: Width of ``{s, z^τ}``.
        channels: Channels of each map but the last; the result has the side ``4·2^len(channels)``.
        outputs: Channels of the result.
        groups: Groups of a group norm, without weights of its own, before each leaky ReLU; 0 for none, as in the paper.
    """

    def __init__(
        self, experts: int, *, inputs: int, channels: Sequence[int], outputs: int, groups: int = 0
    ) -> None:
        super().__init__()
        self.groups = groups
        relu = nn.init.calculate_gain("leaky_relu", _SLOPE)
        layers = [BlendedConvTranspose2d(experts, inputs, channels[0], kernel=4, gain=relu)]
        for depth, (before, after) in enumerate(zip(channels, [*channels[1:], outputs], strict=True), 1):
            # Where a kernel of 4 steps by 2, four of its weights meet in a pixel.
            gain = (relu if depth < len(channels) else 1.0) / 2
            layers.append(
                BlendedConvTranspose2d(experts, before, after, kernel=4, stride=2, padding=1, gain=gain)
            )
        self.layers = nn.ModuleList(layers)

    def forward(self, static: Tensor, mixture: Tensor, poses: Tensor) -> Tensor:
        """``s (B, S)``, ``m (B, N)``, ``z (B, V, D)`` to ``(B, V, C, H, H)``."""
        batch, steps = poses.shape[:2]
        joint = torch.cat([static[:, None].expand(-1, steps, -1), poses], dim=2)
        h = joint.transpose(0, 1).reshape(steps, -1, 1, 1)
        for depth, layer in enumerate(self.layers):
            if depth:
                # The sequences lie side by side as channels: a group stays within one.
                h = F.group_norm(h, batch * self.groups) if self.groups else h
                h = F.leaky_relu(h, _SLOPE)
            h = layer(h, mixture)
        return h.unflatten(1, (batch, -1)).transpose(0, 1)
