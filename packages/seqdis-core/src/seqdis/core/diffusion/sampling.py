"""How a method that decodes by diffusion samples: its sampler, the way back, guidance and the first noise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.guidance import guide
from seqdis.core.diffusion.noise import DiscreteSchedule
from seqdis.core.diffusion.samplers.base import Sampler, SampleResult
from seqdis.core.diffusion.samplers.build import build_inverter, build_sampler
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorLike, randn, stack_generators

__all__ = ["Sampling"]

_QUICK = 8


class Sampling:
    """A sampler, the inverter on its levels, and what a method would otherwise write again around them.

    Args:
        config: Of the sampler.
        guidable: Whether the model was trained with dropped conditions.
        chain: The discrete chain that it was trained on, if any.
        shared_noise: The first noise and all fresh noise is one draw for all steps of a sequence.

    Raises:
        InputError: See :meth:`use`.
    """

    def __init__(
        self,
        config: SamplerConfig,
        *,
        guidable: bool,
        chain: DiscreteSchedule | None = None,
        shared_noise: bool = False,
    ) -> None:
        self._guidable, self._chain, self._shared = guidable, chain, shared_noise
        self.use(config)

    def use(self, config: SamplerConfig) -> None:
        """Sample and invert with another algorithm, other noise levels, guidance or churn from now on.

        Raises:
            InputError: It asks for guidance, and the model was trained without dropped conditions; or for
                levels that there are not.
        """
        if config.guidance != 1 and not self._guidable:
            raise InputError(
                f"sampler.guidance {config.guidance}: this model was trained with condition_dropout 0; allowed: 1"
            )
        self.sampler = build_sampler(config, chain=self._chain)
        self.inverter = build_inverter(config, chain=self._chain)
        self.config = config

    @contextlib.contextmanager
    def quick(self) -> Iterator[None]:
        """At most eight noise levels and no churn inside."""
        usual = self.config
        self.use(usual.model_copy(update={"steps": min(usual.steps, _QUICK), "s_churn": 0.0}))
        try:
            yield
        finally:
            self.use(usual)

    def denoise(self, bind: Callable[[Tensor], DenoiseFunction], z: Tensor) -> DenoiseFunction:
        """The guided denoiser: ``bind`` of the conditions, and of null ones (zeros) where there is guidance."""
        c = self.config
        if c.guidance == 1:
            return bind(z)
        return guide(bind(z), bind(torch.zeros_like(z)), weight=c.guidance, interval=c.guidance_interval)

    def sample(
        self,
        denoise: DenoiseFunction,
        shape: tuple[int, ...],
        *,
        noise: Tensor | None = None,
        sampler: Sampler | None = None,
        frames: bool = False,
        generator: GeneratorLike | Sequence[torch.Generator] | None = None,
        progress: Callable[[int, int], None] | None = None,
        device: torch.device | str = "cpu",
    ) -> SampleResult:
        """Clean latents ``(B, V, *latent)`` in float32.

        Args:
            denoise: ``D(x, σ)`` of whole clips, or of ``B·V`` frames.
            shape: ``(B, V, *latent)``.
            noise: To start from, with std σ_max: ``shape``, or one clip for all; drawn when omitted.
            sampler: The sampler to use; the configured one when omitted.
            frames: Whether ``denoise`` takes frames.
            generator: For noise and churn, one or one a sample.
            progress: Called after each noise level.
            device: Where to sample.

        Raises:
            InputError: The noise has another shape, or there is neither noise nor a generator where needed.
        """
        chosen = sampler or self.sampler
        rows = stack_generators(generator, shape[0]) if noise is None or chosen.draws else None
        if rows is not None and self._shared:
            rows = rows.shared()
        if noise is None and rows is not None:
            noise = chosen.sigma_max * randn(shape, generator=rows, device=device)
        if noise is None or noise.shape[1:] != shape[1:] or len(noise) not in (1, shape[0]):
            came = None if noise is None else tuple(noise.shape)
            raise InputError(f"noise: shape {came}; allowed: {shape}")
        start = noise.to(device).expand(shape)
        result = chosen.sample(
            denoise, start.flatten(0, 1) if frames else start, generator=rows, progress=progress
        )
        return SampleResult(result.x.float().view(shape), result.nfe)
