"""Vector quantisation with one codebook a group of channels."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.core.quantize.bitrate import batch_histogram, entropy_bits
from seqdis.core.quantize.draw import DrawnEntries, draw_entries, draw_entries_reference, entry_logits
from seqdis.core.random import GeneratorStack, rand

__all__ = ["GroupVectorQuantizer", "QuantizeOutput"]

_ALONE = 500  # first batches, which are not averaged
_A_BATCH_MORE = 50  # batches until the average is one longer


@dataclass(frozen=True)
class QuantizeOutput:
    """Quantised vectors and the distribution that they were taken from.

    Attributes:
        z: Quantised vectors, ``(B, V, G·dim)``.
        codes: Indices of the entries, ``(B, V, G)``, in 0 … J−1.
        probs: ``p(c_j | m_i)``, ``(B, V, G, J)``.
        entropy_bits: ``H_i`` of the batch, ``(G,)``.
    """

    z: Tensor
    codes: Tensor
    probs: Tensor
    entropy_bits: Tensor


class GroupVectorQuantizer(nn.Module):
    """``p(c_j | m_i) = softmax_j(−α·‖m_i − c_j‖₂)``: a draw in training, the argmax else (BCD, Eq. 1-2).

    The vector is cut into G groups with a codebook of J entries each, so that a frame has at most
    ``G·log₂ J`` bits. In training an entry is drawn with Gumbel noise ``g``:
    ``w = softmax((ln p + g)/τ)``. What goes on is the entry where ``w`` is largest, an exact draw from ``p``
    at any τ, with the gradient of ``Σ_j w_j c_j`` (straight through): a mixture of entries could carry
    more than the code says. ``relaxed`` passes the mixture itself.

    Args:
        groups: Number of groups, G.
        codes: Number of entries of each codebook, J.
        dim: Channels of a group.
        distance_scale: Factor on the distances, α.
        temperature: Temperature τ at the start of training; :meth:`set_temperature` anneals it.
        relaxed: Whether the mixture itself is passed on in training.
        ema_decay: Weight m of the past in the moving average of the histogram over batches in training,
            ``p̄ ← m·p̄ + (1 − m)·p̄_batch``, which has the gradient of the batch's. The entropy of a few
            clips falls short of that of all: n draws of k codes by some (k − 1)/(2n·ln 2) bits. An average
            over ``1/(1 − m)`` batches counts as many times the clips. It begins after 500 batches and
            lengthens by one every 50. With 0, the batch alone counts (Eq. 4).
        reset_dead_codes: Number of batches after which an entry that no vector took is moved onto a vector of
            the next batch in training, as is usual in vector quantisation (the paper does not). 0 moves none.

    Raises:
        InputError: A size is below 1, a scale or temperature is not positive, ``ema_decay`` is outside [0, 1), or
            ``reset_dead_codes`` is negative.
    """

    temperature: Tensor
    histogram: Tensor
    batches: Tensor
    idle: Tensor

    def __init__(
        self,
        *,
        groups: int,
        codes: int,
        dim: int,
        distance_scale: float = 1.0,
        temperature: float = 1.0,
        relaxed: bool = False,
        ema_decay: float = 0.0,
        reset_dead_codes: int = 0,
    ) -> None:
        super().__init__()
        if reset_dead_codes < 0:
            raise InputError(
                f"a quantiser has reset_dead_codes {reset_dead_codes}; allowed: 0 (never) or more batches"
            )
        if not 0 <= ema_decay < 1:
            raise InputError(f"a quantiser's histogram has ema_decay {ema_decay}; allowed: from 0 to below 1")
        if min(groups, codes, dim) < 1 or not distance_scale > 0:
            raise InputError(
                "a quantiser needs groups, codes and dim of at least 1 and a distance scale above 0; "
                f"got {groups}, {codes}, {dim}, {distance_scale}"
            )
        self.groups, self.codes, self.dim = groups, codes, dim
        self.distance_scale, self.relaxed, self.ema_decay = distance_scale, relaxed, ema_decay
        self.reset_dead_codes = reset_dead_codes
        self.codebook = nn.Parameter(torch.empty(groups, codes, dim))
        # Of the size of what a linear layer gives of normalised features: distances then differ by about 1.
        nn.init.normal_(self.codebook)
        self.register_buffer("histogram", torch.zeros(groups, codes))
        self.register_buffer("batches", torch.zeros(()))
        self.register_buffer("idle", torch.zeros(groups, codes))
        # A tensor: a number would be compiled anew at each value, and checkpoints keep tensors.
        self.register_buffer("temperature", torch.ones(()))
        self.set_temperature(temperature)

    @property
    def capacity_bits(self) -> float:
        """``G·log₂ J``: no frame's code has more bits."""
        return self.groups * math.log2(self.codes)

    def set_temperature(self, value: float) -> None:
        """Draw at another temperature τ from now on.

        Raises:
            InputError: The temperature is not positive.
        """
        if not value > 0:
            raise InputError(f"temperature {value}: allowed are numbers above 0")
        self.temperature.fill_(value)

    def forward(
        self, m: Tensor, *, mask: Tensor | None = None, generator: GeneratorStack | None = None
    ) -> QuantizeOutput:
        """Quantise ``(B, V, G·dim)``.

        Args:
            m: The vectors to quantise, ``(B, V, G·dim)``.
            mask: True where a step exists, ``(B, V)``; the others do not count in the entropy.
            generator: Source of the draws in training, one stream a sequence.

        Raises:
            InputError: The width is not ``G·dim``, or a generator is missing in training.
        """
        width = self.groups * self.dim
        if m.ndim != 3 or m.shape[2] != width:
            raise InputError(f"vectors to quantise: shape {tuple(m.shape)}; allowed: (B, V, {width})")
        batch = m.shape[:2]
        with torch.autocast(m.device.type, enabled=False):
            vectors = m.float().reshape(-1, self.groups, self.dim)
            if self.training and self.reset_dead_codes:
                self._reset_dead(vectors.detach())
            drawn = self._nearest(vectors) if not self.training else self._draw(vectors, batch, generator)
            if self.training and self.reset_dead_codes:
                self._count(drawn.codes)
            probs = drawn.probs.unflatten(0, batch)
            histogram = batch_histogram(probs, mask, synchronize=self.training)
            if self.training and self.ema_decay:
                histogram = self._remembered(histogram)
            return QuantizeOutput(
                z=drawn.z.reshape(*batch, width).to(m.dtype),
                codes=drawn.codes.unflatten(0, batch),
                probs=probs,
                entropy_bits=entropy_bits(histogram),
            )

    @torch.no_grad()
    def _reset_dead(self, vectors: Tensor) -> None:
        """Move entries that have been idle for long onto vectors, which are evenly spread over the batch."""
        spread = torch.linspace(0, len(vectors) - 1, self.codes, device=vectors.device).round().long()
        replacements = vectors[spread].transpose(0, 1).contiguous()
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.broadcast(replacements, src=0)
        dead = self.idle >= self.reset_dead_codes
        self.codebook.copy_(torch.where(dead[..., None], replacements, self.codebook))
        self.idle.masked_fill_(dead, 0)

    @torch.no_grad()
    def _count(self, codes: Tensor) -> None:
        """Count for how many batches each entry has been idle, in all processes."""
        used = torch.zeros_like(self.idle).scatter_(1, codes.T, 1)
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            torch.distributed.all_reduce(used, op=torch.distributed.ReduceOp.MAX)
        self.idle.add_(1).mul_(1 - used)

    def _remembered(self, histogram: Tensor) -> Tensor:
        """The moving average with this batch in it, and this batch's gradient."""
        with torch.no_grad():
            # While codes find their places each batch counts alone: should they all fall on one entry, an average would
            # hide it for so long that no gradient could bring them back.
            later = torch.clamp(self.batches - _ALONE, min=0) / _A_BATCH_MORE
            share = torch.clamp(1 / (1 + later), min=1 - self.ema_decay)
            self.histogram.lerp_(histogram.detach(), share)
            self.batches += 1
        return self.histogram + (histogram - histogram.detach())

    def _nearest(self, vectors: Tensor) -> DrawnEntries:
        logits = entry_logits(vectors, self.codebook.float(), scale=self.distance_scale)
        codes = logits.argmax(-1)
        return DrawnEntries(self._entries(codes), codes, logits.softmax(-1))

    def _draw(self, vectors: Tensor, batch: torch.Size, generator: GeneratorStack | None) -> DrawnEntries:
        if generator is None:
            raise InputError("a quantiser in training draws codes and needs generator=")
        shape = (*batch, self.groups, self.codes)
        uniform = rand(shape, generator=generator, device=vectors.device).flatten(0, 1)
        draw = partial(draw_entries_reference, relaxed=True) if self.relaxed else draw_entries
        return draw(
            vectors, self.codebook.float(), uniform, scale=self.distance_scale, temperature=self.temperature
        )

    def _entries(self, codes: Tensor) -> Tensor:
        return self.codebook[torch.arange(self.groups, device=codes.device), codes]

    def decode(self, codes: Tensor) -> Tensor:
        """The vectors ``(B, V, G·dim)`` of codes ``(B, V, G)``.

        Raises:
            InputError: The number of groups is another, or a code is outside 0 … J−1.
        """
        if codes.ndim != 3 or codes.shape[2] != self.groups or codes.is_floating_point():
            raise InputError(
                f"codes: {codes.dtype} {tuple(codes.shape)}; allowed: integers (B, V, {self.groups})"
            )
        if codes.numel() and not 0 <= int(codes.min()) <= int(codes.max()) < self.codes:
            raise InputError(
                f"codes from {int(codes.min())} to {int(codes.max())}; allowed: 0 to {self.codes - 1}"
            )
        return self._entries(codes.long()).flatten(2)
