"""The frames of sequences as a person sees them, whether they are natural or coded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.disentangler import Disentangler

__all__ = ["natural_frames"]


@torch.no_grad()
def natural_frames(model: Disentangler, sequences: Sequences) -> Tensor:
    """Frames ``(B, V, *frame)`` in natural units: those of the sequences, or what the codec decodes from latents.

    Args:
        model: The model, whose frame codec the latents come from.
        sequences: The sequences, on any device.
    """
    x = sequences.x
    if not sequences.coded:
        return x
    decoded = model.codec.decode(x.to(model.device).flatten(0, 1))
    return decoded.unflatten(0, x.shape[:2]).to(x.device)
