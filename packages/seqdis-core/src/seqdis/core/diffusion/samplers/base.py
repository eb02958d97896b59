"""What all samplers share: the loop over noise levels, its state, and the way back up."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorLike, GeneratorStack, stack_generators

__all__ = ["Callback", "Estimate", "SampleResult", "Sampler", "SamplerState"]


@dataclass(frozen=True)
class Estimate:
    """What a multistep solver remembers of a level it has left.

    Attributes:
        level: σ.
        denoised: ``D(x; σ)`` there, ``(N, *frame)``.
    """

    level: float
    denoised: Tensor


@dataclass(frozen=True)
class SamplerState:
    """Where a sampler stands between two steps.

    Attributes:
        x: The noisy frames, ``(N, *frame)``, in float64 (float32 where the device has no such).
        level: σ of ``x``.
        step: Steps done.
        steps: Steps in all.
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
        """The state one step on."""
        return SamplerState(
            x, level, self.step + 1, self.steps, self.nfe + nfe, denoised, self.memory, self.x
        )


Callback = Callable[[SamplerState], SamplerState | None]
"""Called after each step; may return a state to go on from instead."""


@dataclass(frozen=True)
class SampleResult:
    """What a sampler returns.

    Attributes:
        x: ``(N, *frame)``: samples, or the noise that an inversion found.
        nfe: Evaluations of the denoiser, each of all N frames.
    """

    x: Tensor
    nfe: int


class Sampler(ABC):
    """Takes noise down a list of levels, one :meth:`step` at a time.

    The arithmetic is float64 (float32 on devices without it), whatever the network's precision.

    Args:
        levels: σ, falling, N of them above zero and then 0: from
            :func:`~seqdis.core.diffusion.noise.karras_levels` or
            :meth:`~seqdis.core.diffusion.noise.DiscreteSchedule.levels`.

    Raises:
        InputError: The levels do not fall strictly to 0.
    """

    invertible: ClassVar[bool] = False
    """Whether the steps follow the probability-flow ODE, so that they can be run upward."""

    def __init__(self, levels: Tensor | Sequence[float]) -> None:
        values = [float(level) for level in levels]
        falls = all(high > low for high, low in itertools.pairwise(values))
        if len(values) < 2 or not falls or values[-1] != 0:
            raise InputError(f"levels must fall strictly and end at 0; got {values[:3]} … {values[-2:]}")
        self.levels = values

    @property
    def sigma_max(self) -> float:
        """The standard deviation that the starting noise must have."""
        return self.levels[0]

    @property
    def draws(self) -> bool:
        """Whether :meth:`step` adds fresh noise."""
        return not self.invertible

    @abstractmethod
    def step(
        self,
        denoise: DenoiseFunction,
        state: SamplerState,
        sigma_next: float,
        *,
        rows: GeneratorStack | None = None,
    ) -> SamplerState:
        """Go from ``state.level`` to the level ``following``.

        Args:
            denoise: ``D(x, σ)``.
            state: Where it stands.
            following: The next σ; above ``state.level`` on the way up.
            rows: Source of fresh noise, for a sampler that draws.
        """

    @torch.no_grad()
    def sample(
        self,
        denoise: DenoiseFunction,
        noise: Tensor,
        *,
        generator: GeneratorLike | Sequence[torch.Generator] | None = None,
        progress: Callable[[int, int], None] | None = None,
        callback: Callback | None = None,
    ) -> SampleResult:
        """Go from ``noise`` at σ_max down to 0.

        Args:
            denoise: ``D(x, σ)``.
            noise: ``(N, *frame)`` with standard deviation σ_max: drawn, or from :meth:`invert`.
            generator: Source of fresh noise, for a sampler that draws: one generator, one a sample, or
                rows, of which N must be a multiple (the frames of a sequence share a row).
            progress: ``progress(done, total)`` after each step.
            callback: Called with the state after each step.

        Raises:
            InputError: The sampler draws and ``generator`` is missing, or of another number of rows.
        """
        return self._run(denoise, noise, self.levels, self._rows(noise, generator), progress, callback)

    @torch.no_grad()
    def invert(
        self,
        denoise: DenoiseFunction,
        x: Tensor,
        *,
        progress: Callable[[int, int], None] | None = None,
        callback: Callback | None = None,
    ) -> SampleResult:
        """Go from ``x``, taken at the last level above zero, up to σ_max: the noise that gives ``x`` back.

        Raises:
            InputError: The sampler adds fresh noise: no single noise leads to ``x``.
        """
        if not self.invertible or self.draws:
            raise InputError(
                f"{type(self).__name__} with fresh noise has no inverse; use a deterministic one"
            )
        return self._run(denoise, x, self.levels[-2::-1], None, progress, callback)

    def _run(
        self,
        denoise: DenoiseFunction,
        x: Tensor,
        levels: Sequence[float],
        rows: GeneratorStack | None,
        progress: Callable[[int, int], None] | None,
        callback: Callback | None,
    ) -> SampleResult:
        exact = torch.float32 if x.device.type == "mps" else torch.float64
        state = SamplerState(x.to(exact), levels[0], 0, len(levels) - 1)
        for sigma_next in levels[1:]:
            state = self.step(denoise, state, sigma_next, rows=rows)
            if callback is not None:
                state = callback(state) or state
            if progress is not None:
                progress(state.step, state.steps)
        return SampleResult(state.x, state.nfe)

    def _rows(
        self, x: Tensor, source: GeneratorLike | Sequence[torch.Generator] | None
    ) -> GeneratorStack | None:
        if not self.draws:
            return None
        if source is None:
            raise InputError("a sampler with churn or another source of fresh noise needs generator=")
        if isinstance(source, GeneratorStack):
            if len(x) % len(source):
                raise InputError(f"{len(x)} frames need a number of rows that divides it; got {len(source)}")
            return source
        return stack_generators(source, len(x) if isinstance(source, torch.Generator) else len(source))


def fresh_noise(x: Tensor, rows: GeneratorStack | None) -> Tensor:
    """Standard normal, shaped like ``x``: each row's stream serves the frames of one sequence."""
    if rows is None:
        raise InputError("a sampler with churn or another source of fresh noise needs generator=")
    count = len(rows)
    return rows.draw("randn", (count, len(x) // count, *x.shape[1:]), x.device, x.dtype).flatten(0, 1)
