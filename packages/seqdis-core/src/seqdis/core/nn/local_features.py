"""A bag of local features: what a picture shows, and little of what it makes up as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from seqdis.core.errors import InputError

__all__ = ["LocalFeatures"]


class LocalFeatures(nn.Module):
    """``W [Σ_p a_{h,p}·v(N_p)]_h``, ``a_h = softmax_p(k_h(N_p) + b_{h,p})``: H looks at small neighbourhoods N_p, each an average.

    A network of a whole picture can say how its parts stand to one another: a pose, a heading. This one sees
    neighbourhoods alone (bags of local features: Brendel & Bethge 2019, "Approximating CNNs with bag-of-local-features
    models"). Each head attends to those that its keys pick, or its biases: there, and it says what is seen there (attention
    with learned queries, as in the pooling of Lee et al. 2019, "Set Transformer").

    Args:
        frame_shape: Shape of a frame, ``(C, H, W)``.
        widths: Widths of the layers before keys and values, one at least.
        features: Width of the result.
        side: Side of a neighbourhood, in pixels.
        stride: Pixels from one neighbourhood to the next, along either side.
        heads: Number of looks, H.

    Raises:
        InputError: The side is even, there is no width, or the frame is no picture.
    """

    def __init__(
        self,
        frame_shape: tuple[int, ...],
        widths: Sequence[int],
        features: int,
        *,
        side: int = 5,
        stride: int = 2,
        heads: int = 16,
    ) -> None:
        super().__init__()
        if not widths:
            raise InputError("local features by no layer; give one width at least")
        if side % 2 == 0:
            raise InputError(f"neighbourhoods of side {side}; the side must be odd")
        if len(frame_shape) != 3:
            raise InputError(f"local features of frames of shape {frame_shape}; allowed: pictures (C, H, W)")
        channels, height, width = frame_shape
        layers: list[nn.Module] = [
            nn.Conv2d(channels, widths[0], side, stride=stride, padding=side // 2),
            nn.SiLU(),
        ]
        for inputs, outputs in pairwise(widths):
            layers += [nn.Conv2d(inputs, outputs, 1), nn.SiLU()]
        self.layers = nn.Sequential(*layers)
        self.keys = nn.Conv2d(widths[-1], heads, 1)
        self.values = nn.Conv2d(widths[-1], widths[-1], 1)
        places = -(-height // stride) * -(-width // stride)
        self.biases = nn.Parameter(torch.zeros(heads, places))
        self.out = nn.Linear(heads * widths[-1], features)

    def forward(self, x: Tensor) -> Tensor:
        """``(N, C, H, W)`` to ``(N, features)``."""
        maps = self.layers(x)
        looks = (self.keys(maps).flatten(2) + self.biases).softmax(2)
        seen = looks @ self.values(maps).flatten(2).transpose(1, 2)
        out: Tensor = self.out(seen.flatten(1))
        return out
