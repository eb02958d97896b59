"""The sound of a recording or a sequence."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["Sound"]


@dataclass(frozen=True)
class Sound:
    """One channel of sound.

    Attributes:
        samples: Samples ``(N,)``, float32; full scale is 1.
        rate: Sample rate in Hz.

    Raises:
        InputError: The samples have another shape, or the rate is not positive.
    """

    samples: Tensor
    rate: int

    def __post_init__(self) -> None:
        if self.samples.ndim != 1 or self.rate < 1:
            raise InputError(
                f"a sound needs samples (N,) and a rate in Hz; got {tuple(self.samples.shape)} and {self.rate}"
            )

    @property
    def seconds(self) -> float:
        """Duration in seconds."""
        return len(self.samples) / self.rate
