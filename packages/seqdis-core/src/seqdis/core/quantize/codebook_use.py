"""Statistics of the codes that are in use: dead entries, perplexity, and bits under another histogram."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.quantize.bitrate import entropy_bits

__all__ = ["CodebookUse", "check_codes", "codebook_use", "count_codes", "cross_entropy_bits", "share_used"]


@dataclass(frozen=True)
class CodebookUse:
    """Statistics of how a set of codes uses the codebooks.

    Attributes:
        counts: Number of times that each entry was used, ``(G, J)``.
        entropy_bits: ``H_i`` of the counts, ``(G,)``, in bits.
        perplexity: ``2^{H_i}``, the number of entries that are used as if equally often, ``(G,)``.
        dead: Entries of each group that were never used, ``(G,)``.
    """

    counts: Tensor
    entropy_bits: Tensor
    perplexity: Tensor
    dead: Tensor

    @property
    def bits_per_frame(self) -> float:
        """``R = Σ_i H_i``: the fewest bits a frame of a memoryless code of each group by itself."""
        return float(self.entropy_bits.sum())


def check_codes(codes: Tensor, entries: int) -> Tensor:
    """Codes ``(..., G)`` as ``(frames, G)`` integers on the CPU.

    Raises:
        InputError: The codes are empty, no integers, or outside 0 … J−1.
    """
    if codes.ndim < 2 or codes.is_floating_point() or not codes.numel():
        raise InputError(
            f"codes: {codes.dtype} {tuple(codes.shape)}; allowed: integers (..., G), at least one"
        )
    flat = codes.detach().reshape(-1, codes.shape[-1]).long().cpu()
    if int(flat.min()) < 0 or int(flat.max()) >= entries:
        raise InputError(f"codes from {int(flat.min())} to {int(flat.max())}; allowed: 0 to {entries - 1}")
    return flat


def count_codes(codes: Tensor, entries: int) -> Tensor:
    """Count the occurrences of each of J entries in codes ``(..., G)``: ``(G, J)``."""
    flat = check_codes(codes, entries)
    groups = flat.shape[1]
    row = flat + torch.arange(groups) * entries
    return torch.bincount(row.flatten(), minlength=groups * entries).view(groups, entries)


def share_used(codes: Tensor, entries: int, *, synchronize: bool = False) -> Tensor:
    """The share of all ``G·J`` entries that codes ``(..., G)`` use, a scalar where the codes are; unchecked.

    Meant for logs during training: it covers one batch, and waits for no device.

    Args:
        codes: The codes of a batch.
        entries: Number of entries of a codebook, J.
        synchronize: Whether the batches of all processes count together; every process must then call this
            equally often.
    """
    flat = codes.reshape(-1, codes.shape[-1]).T
    used = torch.zeros(len(flat), entries, device=codes.device).scatter_(1, flat, 1.0)
    if synchronize and torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.all_reduce(used, op=torch.distributed.ReduceOp.MAX)
    return used.mean()


def codebook_use(codes: Tensor, *, entries: int) -> CodebookUse:
    """Count codes ``(..., G)`` of codebooks with J ``entries``.

    Raises:
        InputError: The codes are empty, no integers, or outside 0 … J−1.
    """
    counts = count_codes(codes, entries)
    bits = entropy_bits(counts.double() / counts.sum(1, keepdim=True))
    return CodebookUse(counts, bits, bits.exp2(), (counts == 0).sum(1))


def cross_entropy_bits(codes: Tensor, *, counts: Tensor) -> Tensor:
    """``−E log₂ q_i`` of held-out codes under another set's counts: what a coder with these frequencies needs.

    One is added to every count, so that an entry which the counts lack has a price, too.

    Args:
        codes: Held-out codes, ``(..., G)``.
        counts: :attr:`CodebookUse.counts` of the other set, ``(G, J)``.

    Returns:
        Bits of each group, ``(G,)``.

    Raises:
        InputError: The codes do not fit the counts.
    """
    if codes.shape[-1] != len(counts):
        raise InputError(f"codes of {codes.shape[-1]} groups; the counts have {len(counts)}")
    own = count_codes(codes, counts.shape[1]).double()
    q = (counts.double() + 1) / (counts.double() + 1).sum(1, keepdim=True)
    return -(own * q.log2()).sum(1) / own.sum(1)
