"""The state of a sampler between two steps, and its result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Callback", "Estimate", "SampleResult", "SamplerState"]


@dataclass(frozen=True)
class Estimate:
    """The denoiser's estimate at a level that a multistep solver has left behind.

    Attributes:
        level: Noise level σ of the estimate.
        denoised: Estimate ``D(x; σ)`` at this level, ``(N, *frame)``.
    """

    level: float
    denoised: Tensor


@dataclass(frozen=True)
class SamplerState:
    """The state of a sampler between two steps.

    Attributes:
        x: The noisy frames, ``(N, *frame)``, in float64 (float32 where the device has no such).
        level: Noise level σ of ``x``.
        step: Number of steps done.
        steps: Number of all steps.
        nfe: Evaluations of the denoiser so far, each of all N frames.
        denoised: The last estimate of the clean frames; None before the first step.
        memory: Levels that a multistep solver looks back to, the newest last.
        previous: ``x`` before the last step, for a corrector.
    """

    x: Tensor
    level: float
    step: int
    steps: int
    nfe: int = 0
    denoised: Tensor | None = None
    memory: tuple[Estimate, ...] = ()
    previous: Tensor | None = None

    def after(self, x: Tensor, level: float, denoised: Tensor, *, nfe: int = 1) -> SamplerState:
        """The state one step on.

        Args:
            x: The frames that the step leads to, ``(N, *frame)``.
            level: Noise level σ of these frames.
            denoised: The estimate of the clean frames that the step used.
            nfe: Evaluations of the denoiser that the step took.
        """
        return SamplerState(
            x, level, self.step + 1, self.steps, self.nfe + nfe, denoised, self.memory, self.x
        )


Callback = Callable[[SamplerState], SamplerState | None]
"""Called after each step; may return a state to go on from instead."""


@dataclass(frozen=True)
class SampleResult:
    """The result of a sampler.

    Attributes:
        x: Samples ``(N, *frame)``, or the noise that an inversion leads to.
        nfe: Evaluations of the denoiser, each of all N frames.
    """

    x: Tensor
    nfe: int
