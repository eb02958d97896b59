"""Sound at another sample rate."""

from __future__ import annotations

import math

import torch
import torchaudio.functional as audio
from torch import Tensor

__all__ = ["resample", "resampled_length"]

_LOBES = 6
"""Zero crossings of the windowed sinc on each side, torchaudio's default."""
_ROLLOFF = 0.99
"""Share of the lower Nyquist frequency that is kept, torchaudio's default."""
_LARGEST_KERNEL = 1 << 24
"""Numbers in a kernel beyond which it is computed point by point: torchaudio's grows with both rates' product."""
_BLOCK = 1 << 21
"""Numbers in the filters that are evaluated at a time."""


def resampled_length(samples: int, native: int, rate: int) -> int:
    """Number of samples at another rate, ``⌈N · rate / native⌉``."""
    return -(-samples * rate // native)


def resample(wave: Tensor, native: int, rate: int) -> Tensor:
    """Resample ``(N,)`` by a sinc in a Hann window (Smith 1984; torchaudio's ``resample``).

    ``y_n = Σ_k x_k · h(k / native − n / rate)``. Rates that have next to no common divisor would need one filter for
    each of ``rate`` phases: theirs is evaluated where it is needed instead.

    Args:
        wave: Samples at the native rate.
        native: Their rate in Hz.
        rate: The wanted rate in Hz.

    Returns:
        :func:`resampled_length` samples.
    """
    if native == rate:
        return wave
    length = resampled_length(len(wave), native, rate)
    divisor = math.gcd(native, rate)
    up, down = rate // divisor, native // divisor
    width = math.ceil(_LOBES * down / (min(up, down) * _ROLLOFF))
    if up * (2 * width + down) > _LARGEST_KERNEL:
        per_block = max(1, _BLOCK // (2 * math.ceil(_LOBES * native / (min(native, rate) * _ROLLOFF)) + 2))
        return torch.cat([_at(wave, index, native, rate) for index in torch.arange(length).split(per_block)])
    # torchaudio rounds the length in float32: a longer input, cut to what is exact.
    longer = torch.nn.functional.pad(wave, (0, 2 * down))
    return audio.resample(longer, native, rate)[:length]


def _at(wave: Tensor, index: Tensor, native: int, rate: int) -> Tensor:
    """The samples ``index (n,)`` of the result, each from its own filter."""
    scale = min(native, rate) * _ROLLOFF / native
    width = math.ceil(_LOBES / scale)
    # Whole and fractional parts apart, in integers: a place far into the sound keeps its precision.
    whole = index * native // rate
    fraction = (index * native % rate).double() / rate
    taps = torch.arange(-width, width + 2)
    distance = ((taps - fraction[:, None]) * scale).clamp(-_LOBES, _LOBES)
    window = (distance * math.pi / _LOBES / 2).cos().square()
    weight = (distance.sinc() * window * scale).float()
    place = whole[:, None] + taps
    inside = (place >= 0) & (place < len(wave))
    return (wave[place.clamp(0, len(wave) - 1)] * inside * weight).sum(1)
