"""Options of the analysis that a configuration leaves open, taken from the recordings."""

from __future__ import annotations

import functools
import logging
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from seqdis.audio.mel import empty_bins
from seqdis.audio.options import (
    HIGHEST_RATE,
    LARGEST_FFT,
    LOWEST_RATE,
    MOST_BINS,
    AudioOptions,
    AudioSettings,
)
from seqdis.audio.sound_info import sound_info
from seqdis.core.config import DataConfig, parse_config
from seqdis.core.errors import InputError

__all__ = ["audio_options", "bins_of", "complete_data", "settle"]

WIDEST_HZ = 8000.0
"""The upper edge of the last mel band, unless a configuration asks for more: speech has little above it."""
BINS = 80
"""Number of mel bins where the frame's shape is open."""
_logger = logging.getLogger(__name__)


@functools.lru_cache(maxsize=64)
def settle(settings: AudioSettings, bins: int, lowest_rate: int | None = None) -> AudioOptions:
    """The analysis of these settings, with ``f_max`` and ``n_fft`` found where they are open.

    ``f_max = min(8000, r / 2)`` with the lowest rate r that the recordings have: a band that some recordings cannot
    have would tell how a recording was stored. ``n_fft`` is the least power of two that holds the window and leaves no
    mel bin without a frequency.

    Args:
        settings: The settings; their sample rate is known.
        bins: Number of mel bins.
        lowest_rate: The recordings' lowest sample rate in Hz; the settings' own when omitted.

    Raises:
        InputError: The sample rate is open, or an option is out of range.
    """
    if settings.sample_rate is None:
        raise InputError(
            "audio options: sample_rate is open; allowed: a rate in Hz (sample_rate=16000), or a folder of "
            "recordings to take it from"
        )
    values = settings.model_dump()
    if settings.f_max is None:
        values["f_max"] = min(WIDEST_HZ, min(settings.sample_rate, lowest_rate or settings.sample_rate) / 2)
    if settings.n_fft is None:
        window = max(16, round(settings.window_ms * settings.sample_rate / 1000))
        n_fft = 1 << (window - 1).bit_length()
        wide = parse_config(AudioOptions, values | {"n_fft": n_fft}, where="audio options")
        while n_fft < LARGEST_FFT and empty_bins(bins, wide.model_copy(update={"n_fft": n_fft})):
            n_fft *= 2
        values["n_fft"] = n_fft
    return parse_config(AudioOptions, values, where="audio options")


def _settings(data: DataConfig, *, folds: bool) -> AudioSettings:
    settings = parse_config(AudioSettings, data.options, where="audio options")
    if settings.fold is not None and not folds:
        raise InputError(
            f"{data.dataset}: option fold is {settings.fold}, and it has no folds; allowed: null"
        )
    return settings


def audio_options(data: DataConfig, *, folds: bool = True) -> AudioOptions:
    """The analysis of some data settings.

    Args:
        data: The data settings.
        folds: Whether the dataset can test its speakers by turns, as ``fold`` asks for.

    Raises:
        InputError: An option is unknown or out of range, the sample rate is open, a frame is no vector, or a fold is
            asked of a dataset that has none.
    """
    return settle(_settings(data, folds=folds), bins_of(data))


def bins_of(data: DataConfig) -> int:
    """The number of mel bins of some data settings.

    Raises:
        InputError: A frame is no vector.
    """
    if len(data.frame_shape) != 1:
        raise InputError(f"audio: frame_shape is {data.frame_shape}; allowed: (mel bins,), such as (80,)")
    if data.frame_shape[0] > MOST_BINS:
        raise InputError(f"audio: frame_shape is {data.frame_shape}; allowed: up to {MOST_BINS} mel bins")
    return data.frame_shape[0]


def complete_data(data: DataConfig, paths: Sequence[Path]) -> DataConfig:
    """Fill in the sample rate that most recordings have, and what follows from it; see :func:`settle`.

    The least of equally frequent rates is taken. Files that cannot be read are passed over; they are reported when
    they are opened. One line of the log says what was found.

    Args:
        data: The data settings.
        paths: The files to learn from.

    Raises:
        InputError: No file can be read, an option is out of range, or a fold is asked for.
    """
    data = data if data.frame_shape else data.model_copy(update={"frame_shape": (BINS,)})
    settings = _settings(data, folds=False)
    if None not in (settings.sample_rate, settings.f_max, settings.n_fft):
        return data
    rates, problems = Counter[int](), list[InputError]()
    for path in paths:
        try:
            rates[sound_info(path).rate] += 1
        except InputError as error:
            problems.append(error)
    if not rates:
        raise problems[0] if problems else InputError("audio: no recording to take the sample rate from")
    if settings.sample_rate is None:
        common = min(rates, key=lambda rate: (-rates[rate], rate))
        settings = settings.model_copy(update={"sample_rate": min(max(common, LOWEST_RATE), HIGHEST_RATE)})
    options = settle(settings, bins_of(data), min(rates))
    counts = ", ".join(f"{count} of {rate} Hz" for rate, count in sorted(rates.items()))
    # Files of one rate hold no surprise; of several, some are resampled and all lose what the lowest does not have.
    _logger.log(
        logging.INFO if len(rates) == 1 else logging.WARNING,
        "recordings: %s; sample_rate=%d f_max=%g n_fft=%d",
        counts,
        options.sample_rate,
        options.f_max,
        options.n_fft,
    )
    return data.model_copy(update={"options": options.model_dump()})
