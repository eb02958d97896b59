"""The options of audio: the analysis that turns sound into frames."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from seqdis.core.config import Config

__all__ = ["FOLDS", "FROM_RECORDINGS", "HIGHEST_RATE", "LOWEST_RATE", "AudioOptions", "AudioSettings"]

LOWEST_RATE, HIGHEST_RATE = 1000, 192000
"""The sample rates of an analysis, in Hz."""
LARGEST_FFT, MOST_BINS = 1 << 16, 1024
"""The largest Fourier transform in samples, and number of mel bins."""
FOLDS = 5
"""Parts that speakers are split into, so that each is in one test split."""


class AudioSettings(Config):
    """The options of audio as a configuration states them; what is null is taken from the recordings.

    The defaults are speech at 16 kHz in steps of 8.5 ms (136 samples), as in DiffSDA, App. D, with
    the 25 ms window that is customary in speech processing: 68 steps span 580 ms. The number of mel bins is the
    frame's shape. :class:`AudioOptions` is the same with nothing left open.
    """

    sample_rate: int | None = Field(
        16000,
        ge=LOWEST_RATE,
        le=HIGHEST_RATE,
        description="Hz; files are resampled to it; null: the files' own",
    )
    frame_shift_ms: float = Field(8.5, gt=0, le=60_000, description="time between frames, rounded to samples")
    window_ms: float = Field(
        25.0,
        gt=0,
        le=60_000,
        validate_default=True,
        description="length of the Hann window, rounded to samples",
    )
    n_fft: int | None = Field(
        512,
        ge=16,
        le=LARGEST_FFT,
        validate_default=True,
        description="samples of the Fourier transform; the window is zero-padded to it; null: the least power of "
        "two that holds the window and leaves no mel bin without a frequency",
    )
    f_min: float = Field(0.0, ge=0, description="Hz, lower edge of the first mel band")
    f_max: float | None = Field(
        8000.0,
        gt=0,
        validate_default=True,
        description="Hz, upper edge of the last mel band; null: half the files' lowest rate, at most 8000",
    )
    floor: float = Field(1e-7, gt=0, description="mel power below which the logarithm is cut off")
    griffin_lim_steps: int = Field(
        60, ge=1, le=100_000, description="iterations when frames are made audible"
    )
    silence_db: float = Field(
        40.0, gt=0, description="steps this far below the recording's loudest are silent (target 'silence')"
    )
    split: Literal["round", "speaker"] | None = Field(
        None, description="'round': all speakers in every split; 'speaker': disjoint; null: the dataset's own"
    )
    fold: int | None = Field(
        None,
        ge=0,
        lt=FOLDS,
        description="which fifth of the speakers is the test split of arabic_speech_commands, the next one validates; "
        "null: not split so",
    )

    @field_validator("frame_shift_ms")
    @classmethod
    def _shift_is_a_sample(cls, value: float, info: ValidationInfo) -> float:
        rate = info.data.get("sample_rate")
        if rate is not None and round(value * rate / 1000) < 1:
            raise ValueError(f"must be at least one sample of {1000 / rate:g} ms")
        return value

    @field_validator("window_ms")
    @classmethod
    def _window_overlaps(cls, value: float, info: ValidationInfo) -> float:
        # Without overlap, frames lose part of the signal and cannot be made audible again.
        shift = info.data.get("frame_shift_ms")
        if shift is not None and value < 2 * shift:
            raise ValueError(f"must be at least twice frame_shift_ms ({shift})")
        return value

    @field_validator("n_fft")
    @classmethod
    def _fft_holds_window(cls, value: int | None, info: ValidationInfo) -> int | None:
        rate = info.data.get("sample_rate")
        if value is not None and rate is not None and "window_ms" in info.data:
            window = round(info.data["window_ms"] * rate / 1000)
            if value < window or value % 2:
                raise ValueError(f"must be even and at least the window's {window} samples")
        return value

    @field_validator("f_max")
    @classmethod
    def _band_exists(cls, value: float | None, info: ValidationInfo) -> float | None:
        rate = info.data.get("sample_rate")
        if value is not None and rate is not None and "f_min" in info.data:
            lowest, nyquist = info.data["f_min"], rate / 2
            if not lowest < value <= nyquist:
                raise ValueError(
                    f"must lie above f_min ({lowest}) and not above half the sample rate ({nyquist})"
                )
        return value


FROM_RECORDINGS = AudioSettings(sample_rate=None, n_fft=None, f_max=None)
"""Settings for recordings of any sample rate."""


class AudioOptions(AudioSettings):
    """The short-time analysis that makes every frame, with nothing left open."""

    sample_rate: int = Field(
        16000, ge=LOWEST_RATE, le=HIGHEST_RATE, description="Hz; files are resampled to it"
    )
    n_fft: int = Field(
        512, ge=16, le=LARGEST_FFT, validate_default=True, description="samples of the Fourier transform"
    )
    f_max: float = Field(
        8000.0, gt=0, validate_default=True, description="Hz, upper edge of the last mel band"
    )

    @property
    def hop(self) -> int:
        """Number of samples between frames."""
        return round(self.frame_shift_ms * self.sample_rate / 1000)

    @property
    def window(self) -> int:
        """Number of samples in the window."""
        return round(self.window_ms * self.sample_rate / 1000)
