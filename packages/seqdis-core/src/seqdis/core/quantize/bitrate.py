"""The rate of grouped codes: its estimate on a batch, and the loss that holds it at a target."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["Bitrate", "RateOutput", "batch_histogram", "entropy_bits"]


def batch_histogram(probs: Tensor, mask: Tensor | None = None, *, synchronize: bool = False) -> Tensor:
    """``p̄_ij``: the mean of ``p(c_j | m_i)`` over sequences and steps (BCD, Eq. 4).

    Args:
        probs: ``p(c_j | m_i)``, ``(B, V, G, J)``.
        mask: True where a step exists, ``(B, V)``; all of them exist when omitted.
        synchronize: Whether the mean is taken over the batches of all processes. Every process must then call
            this equally often. The gradient is such that its mean over processes, which is what DDP takes, is
            the gradient of the whole batch.

    Returns:
        ``(G, J)``, rows that sum to 1.
    """
    if mask is None:
        sums, count = probs.sum((0, 1)), probs.new_tensor(float(probs.shape[0] * probs.shape[1]))
    else:
        weight = mask.to(probs.dtype)
        sums, count = torch.einsum("bv,bvgj->gj", weight, probs), weight.sum()
    if synchronize and torch.distributed.is_available() and torch.distributed.is_initialized():
        total = torch.cat([sums.detach().flatten(), count[None]])
        torch.distributed.all_reduce(total)
        # Each process owns 1/W of the mean gradient but all of its own sums' share: hence the factor W.
        share = torch.distributed.get_world_size() * (sums - sums.detach())
        sums, count = total[:-1].view_as(sums) + share, total[-1]
    return sums / count.clamp(min=1)


def entropy_bits(histogram: Tensor) -> Tensor:
    """``H_i = −Σ_j p̄_ij log₂ p̄_ij`` (BCD, Eq. 3 and 5).

    Args:
        histogram: ``p̄``, ``(G, J)``.

    Returns:
        ``(G,)`` in bits, each between 0 and ``log₂ J``.
    """
    # The slope of x·ln x is infinite at 0; a code that is never used must not make the gradient so.
    tiny = torch.finfo(histogram.dtype).tiny
    return -(histogram * histogram.clamp(min=tiny).log2()).sum(-1)


@dataclass(frozen=True)
class RateOutput:
    """The rate of a batch.

    Attributes:
        bits_per_frame: ``R = Σ_i H_i``, a scalar.
        kbps: ``R·fps/1000``, a scalar without gradient; None where no frame rate was given.
        loss: ``(R − R_target)²`` in bits², a scalar; None where no target was given.
    """

    bits_per_frame: Tensor
    kbps: Tensor | None
    loss: Tensor | None


class Bitrate:
    """``R = Σ_i H_i``, ``L_R = (R − R_target)²`` (BCD, Sec. 3.2 and Eq. 7).

    Args:
        target: ``R_target``, bits per frame; None leaves the rate free (the ablation of Tab. A6).
        fps: Frames per second, for the rate in kbps.

    Raises:
        InputError: The target or the frame rate is not positive.
    """

    def __init__(self, *, target: float | None = None, fps: float | None = None) -> None:
        for name, value in (("target", target), ("fps", fps)):
            if value is not None and not value > 0:
                raise InputError(f"bitrate {name} {value}: allowed are numbers above 0")
        self.target, self.fps = target, fps

    def __call__(self, entropy: Tensor) -> RateOutput:
        """Rate and loss of the groups' entropies ``H_i``, ``(G,)`` in bits."""
        rate = entropy.sum()
        kbps = None if self.fps is None else rate.detach() * (self.fps / 1000)
        loss = None if self.target is None else (rate - self.target).square()
        return RateOutput(rate, kbps, loss)
