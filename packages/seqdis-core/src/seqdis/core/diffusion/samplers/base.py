"""The base of all samplers: their settings, their noise levels, and the loop over these, down and back up."""

from __future__ import annotations

import copy
import functools
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from seqdis.core.config import parse_config
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.sampler_state import Callback, SampleResult, SamplerState
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from seqdis.core.diffusion.denoiser import DenoiseFunction
    from seqdis.core.diffusion.noise import DiscreteSchedule
    from seqdis.core.random import GeneratorLike, GeneratorStack

__all__ = ["Sampler", "fresh_noise"]


class Sampler(ABC):
    """Takes noise down a list of levels, one :meth:`step` at a time.

    The arithmetic is float64 (float32 on devices without it), whatever the network's precision. A sampler is
    made from its settings, ``DDIMSampler(steps=16, eta=0.5)``; its levels are those of
    :func:`~seqdis.core.diffusion.noise.karras_levels`, or after :meth:`on` those of a model's discrete chain.

    Args:
        settings: The fields of ``config_class``.

    Raises:
        InputError: There is no setting of that name, or a value is out of range.
    """

    config_class: ClassVar[type[SamplerConfig]] = SamplerConfig
    """Its settings, with the name of its entry point as ``kind``."""

    invertible: ClassVar[bool] = False
    """Whether the steps follow the probability-flow ODE, so that they can be run upward."""

    noiseless: ClassVar[Mapping[str, Any]] = {}
    """The settings with which an invertible sampler adds no fresh noise."""

    config: SamplerConfig

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            return
        # So that help() and editors list the settings rather than **settings.
        parameters = inspect.signature(cls.config_class).parameters.values()
        cls.__signature__ = inspect.Signature([p for p in parameters if p.name != "kind"])  # type: ignore[attr-defined]

    def __init__(self, **settings: Any) -> None:
        self.config = parse_config(self.config_class, settings, where=type(self).__name__)
        self._chain: DiscreteSchedule | None = None

    @classmethod
    def from_config(cls, config: SamplerConfig) -> Self:
        """The sampler with these settings.

        Raises:
            InputError: The settings are those of another algorithm.
        """
        if not isinstance(config, cls.config_class):
            raise InputError(
                f"{cls.__name__}: settings {type(config).__name__}; allowed: {cls.config_class.__name__}"
            )
        return cls(**{name: getattr(config, name) for name in config.model_fields_set})

    def __repr__(self) -> str:
        changed = {
            name: getattr(self.config, name) for name in sorted(self.config.model_fields_set - {"kind"})
        }
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in changed.items())})"

    def on(self, chain: DiscreteSchedule | None) -> Self:
        """The same sampler for a model that was trained on this discrete chain, or on none."""
        other = copy.copy(self)
        other.__dict__.pop("sigmas", None)
        other._chain = chain
        return other

    def replace(self, **changes: Any) -> Self:
        """The same sampler with other values of some settings.

        Raises:
            InputError: There is no setting of that name, or a value is out of range.
        """
        return type(self)(**self.config.model_dump(exclude_unset=True) | changes).on(self._chain)

    def deterministic(self) -> Sampler:
        """The sampler on the same levels that adds no fresh noise; Heun's method where this one always does."""
        if self.invertible:
            return self.replace(**self.noiseless)
        from seqdis.core.diffusion.samplers.edm import EDMSampler

        shared = {name: getattr(self.config, name) for name in SamplerConfig.model_fields if name != "kind"}
        return EDMSampler(**shared).on(self._chain)

    @functools.cached_property
    def sigmas(self) -> list[float]:
        """The noise levels σ, falling, ``steps`` of them above zero and then 0.

        Raises:
            InputError: The settings do not have ``0 < sigma_min < sigma_max``, or ask for more levels than the chain
                has, or for those of a chain where there is none.
        """
        from seqdis.core.diffusion.noise import karras_levels

        c, chain = self.config, self._chain
        if isinstance(c.levels, tuple):
            return list(c.levels)
        if c.levels == "karras" or (c.levels == "auto" and chain is None):
            levels = karras_levels(c.steps, sigma_min=c.sigma_min, sigma_max=c.sigma_max, rho=c.rho)
        elif chain is None:
            raise InputError("sampler.levels 'chain': this model was not trained on one; allowed: 'karras'")
        else:
            levels = chain.levels(c.steps, spacing=c.spacing)
        return [float(level) for level in levels]

    @property
    def sigma_max(self) -> float:
        """The standard deviation that the starting noise must have."""
        return self.sigmas[0]

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
        """Go from ``state.level`` to the level ``sigma_next``.

        Args:
            denoise: Denoiser ``D(x, σ)`` with its condition bound.
            state: State of the sampler before the step.
            sigma_next: The next σ; above ``state.level`` on the way up.
            rows: Source of fresh noise, for a sampler that draws.
        """

    def sample(
        self,
        denoise: DenoiseFunction,
        noise: Tensor,
        *,
        generator: GeneratorLike | Sequence[torch.Generator] | None = None,
        progress: Callable[[int, int], None] | None = None,
        callback: Callback | None = None,
        grad: bool = False,
    ) -> SampleResult:
        """Go from ``noise`` at σ_max down to 0.

        Args:
            denoise: Denoiser ``D(x, σ)`` with its condition bound.
            noise: Noise ``(N, *frame)`` with standard deviation σ_max: drawn, or from :meth:`invert`.
            generator: Source of fresh noise, for a sampler that draws: one generator, one a sample, or
                a stack of them, of whose number N must be a multiple (the frames of a sequence share one).
            progress: ``progress(done, total)`` after each step.
            callback: Called with the state after each step.
            grad: Whether to keep the graph through all steps.

        Raises:
            InputError: The sampler draws and ``generator`` is missing, or of another number of rows.
        """
        return self._run(denoise, noise, self.sigmas, self._rows(noise, generator), progress, callback, grad)

    def invert(
        self,
        denoise: DenoiseFunction,
        x: Tensor,
        *,
        progress: Callable[[int, int], None] | None = None,
        callback: Callback | None = None,
        grad: bool = False,
    ) -> SampleResult:
        """Go from ``x``, taken at the last level above zero, up to σ_max: the noise that gives ``x`` back.

        Raises:
            InputError: The sampler adds fresh noise: no single noise leads to ``x``.
        """
        if not self.invertible or self.draws:
            raise InputError(
                f"{type(self).__name__} with fresh noise has no inverse; use a deterministic one"
            )
        return self._run(denoise, x, self.sigmas[-2::-1], None, progress, callback, grad)

    def _run(
        self,
        denoise: DenoiseFunction,
        x: Tensor,
        levels: Sequence[float],
        rows: GeneratorStack | None,
        progress: Callable[[int, int], None] | None,
        callback: Callback | None,
        grad: bool,
    ) -> SampleResult:
        import torch

        exact = torch.float32 if x.device.type == "mps" else torch.float64
        state = SamplerState(x.to(exact), levels[0], 0, len(levels) - 1)
        with torch.set_grad_enabled(grad):
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
        import torch

        from seqdis.core.random import GeneratorStack, stack_generators

        if isinstance(source, GeneratorStack):
            if len(x) % len(source):
                raise InputError(f"{len(x)} frames need a number of rows that divides it; got {len(source)}")
            return source
        return stack_generators(source, len(x) if isinstance(source, torch.Generator) else len(source))


def fresh_noise(x: Tensor, rows: GeneratorStack | None) -> Tensor:
    """Standard normal, shaped like ``x``: each row's stream serves the frames of one sequence.

    Raises:
        InputError: There is no source of randomness.
    """
    if rows is None:
        raise InputError("a sampler with churn or another source of fresh noise needs generator=")
    count = len(rows)
    return rows.draw("randn", (count, len(x) // count, *x.shape[1:]), x.device, x.dtype).flatten(0, 1)
