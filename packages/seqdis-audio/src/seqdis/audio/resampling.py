"""Sound at another sample rate, block by block."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import torch
import torchaudio.functional as audio
from torch import Tensor

__all__ = ["resampled", "resampled_length"]

_LOBES = 6
"""Zero crossings of the windowed sinc on each side, torchaudio's default."""
_ROLLOFF = 0.99
"""Share of the lower Nyquist frequency that is kept, torchaudio's default."""
_LARGEST_KERNEL = 1 << 21
"""Numbers in a kernel beyond which it is computed point by point: torchaudio's grows with both rates' product."""
_FILTERED = 1 << 21
"""Numbers in the filters that are computed at a time, point by point."""
_BLOCK = 1 << 20
"""Samples that are resampled at a time."""


def resampled_length(samples: int, native: int, rate: int) -> int:
    """Number of samples at another rate, ``⌈N · rate / native⌉``."""
    return -(-samples * rate // native)


def resampled(blocks: Iterable[Tensor], native: int, rate: int) -> Iterator[Tensor]:
    """Resample a sound by a sinc in a Hann window (Smith 1984; torchaudio's ``resample``) while it is read.

    ``y_n = Σ_k x_k · h(k / native − n / rate)``. The result does not depend on how the blocks that come in are cut; two
    of them at most are held.

    Args:
        blocks: The samples at the native rate in order, ``(n,)`` each.
        native: Rate of these samples in Hz.
        rate: The wanted rate in Hz.

    Yields:
        Samples at the wanted rate, :func:`resampled_length` in all.
    """
    if native == rate:
        yield from blocks
        return
    conversion = _Conversion(native // math.gcd(native, rate), rate // math.gcd(native, rate))
    reach, width = conversion.reach, conversion.block
    held, received, given = torch.zeros(reach), 0, 0
    for block in blocks:
        held, received = torch.cat([held, block]), received + len(block)
        while len(held) >= width + 2 * reach:
            yield (part := conversion.inner(held[: width + 2 * reach]))
            held, given = held[width:], given + len(part)
    missing = resampled_length(received, native, rate) - given
    if missing > 0:
        last = -(-missing // conversion.up) * conversion.down + 2 * reach
        held = torch.nn.functional.pad(held, (0, max(0, last - len(held))))
        yield conversion.inner(held[:last])[:missing]


@dataclass(frozen=True)
class _Conversion:
    """From every ``down`` samples to ``up``, without a common divisor."""

    down: int
    up: int

    @property
    def width(self) -> int:
        """Samples on each side that a result depends on."""
        return math.ceil(_LOBES * self.down / (min(self.up, self.down) * _ROLLOFF))

    @property
    def reach(self) -> int:
        """The same in whole periods."""
        return -(-(self.width + 1) // self.down) * self.down

    @property
    def block(self) -> int:
        """Samples that are converted at a time, in whole periods."""
        return max(1, _BLOCK // self.down) * self.down

    def inner(self, wave: Tensor) -> Tensor:
        """Samples ``(n + 2 · reach,)`` converted, without what the first and last ``reach`` of them become."""
        first, last = (n // self.down * self.up for n in (self.reach, len(wave) - self.reach))
        if self.up * (2 * self.width + self.down) <= _LARGEST_KERNEL:
            return audio.resample(wave, self.down, self.up)[first:last]
        # Rates with next to no common divisor would need one filter for each of `up` phases.
        at_once = max(1, _FILTERED // (2 * self.width + 2))
        return torch.cat([self._at(wave, n) for n in torch.arange(first, last).split(at_once)])

    def _at(self, wave: Tensor, index: Tensor) -> Tensor:
        """Samples ``index (n,)`` of the result, each from a filter of its own."""
        scale = min(self.up, self.down) * _ROLLOFF / self.down
        # Whole and fractional parts apart, in integers: a place far into the sound keeps its precision.
        whole = index * self.down // self.up
        fraction = (index * self.down % self.up).double() / self.up
        taps = torch.arange(-self.width, self.width + 2)
        distance = ((taps - fraction[:, None]) * scale).clamp(-_LOBES, _LOBES)
        window = (distance * math.pi / _LOBES / 2).cos().square()
        weight = (distance.sinc() * window * scale).float()
        place = (whole[:, None] + taps).clamp(0, len(wave) - 1)
        return (wave[place] * weight).sum(1)
