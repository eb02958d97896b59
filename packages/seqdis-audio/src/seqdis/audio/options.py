"""The options of audio: the analysis that turns sound into frames."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from seqdis.core.config import Config

__all__ = ["AudioOptions"]


class AudioOptions(Config):
    """The short-time analysis that makes every frame; the number of mel bins is the frame's shape.

    The defaults are speech at 16 kHz in steps of 8.5 ms (136 samples), as in DiffSDA, App. D, with
    the 25 ms window that is customary in speech processing: 68 steps span 580 ms.
    """

    sample_rate: int = Field(16000, ge=1000, le=192000, description="Hz; files are resampled to it")
    frame_shift_ms: float = Field(8.5, gt=0, description="time between frames, rounded to samples")
    window_ms: float = Field(
        25.0, gt=0, validate_default=True, description="length of the Hann window, rounded to samples"
    )
    n_fft: int = Field(
        512,
        ge=16,
        validate_default=True,
        description="samples of the Fourier transform; the window is zero-padded to it",
    )
    f_min: float = Field(0.0, ge=0, description="Hz, lower edge of the first mel band")
    f_max: float = Field(
        8000.0, gt=0, validate_default=True, description="Hz, upper edge of the last mel band"
    )
    floor: float = Field(1e-7, gt=0, description="mel power below which the logarithm is cut off")
    griffin_lim_steps: int = Field(60, ge=1, description="iterations when frames are made audible")
    silence_db: float = Field(
        40.0, gt=0, description="steps this far below the recording's loudest are silent (target 'silence')"
    )
    split: Literal["round", "speaker"] | None = Field(
        None, description="'round': all speakers in every split; 'speaker': disjoint; null: the dataset's own"
    )

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
    def _fft_holds_window(cls, value: int, info: ValidationInfo) -> int:
        if {"window_ms", "sample_rate"} <= info.data.keys():
            window = round(info.data["window_ms"] * info.data["sample_rate"] / 1000)
            if value < window or value % 2:
                raise ValueError(f"must be even and at least the window's {window} samples")
        return value

    @field_validator("f_max")
    @classmethod
    def _band_exists(cls, value: float, info: ValidationInfo) -> float:
        if {"f_min", "sample_rate"} <= info.data.keys():
            lowest, nyquist = info.data["f_min"], info.data["sample_rate"] / 2
            if not lowest < value <= nyquist:
                raise ValueError(
                    f"must lie above f_min ({lowest}) and not above half the sample rate ({nyquist})"
                )
        return value

    @property
    def hop(self) -> int:
        """Number of samples between frames."""
        return round(self.frame_shift_ms * self.sample_rate / 1000)

    @property
    def window(self) -> int:
        """Number of samples in the window."""
        return round(self.window_ms * self.sample_rate / 1000)
