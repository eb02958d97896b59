"""Sampling of a method that decodes by diffusion: its sampler, the inversion, guidance and the first noise."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.guidance import GuidedDenoiser
from seqdis.core.diffusion.noise import DiscreteSchedule
from seqdis.core.diffusion.samplers.base import Sampler
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.sampler_state import SampleResult
from seqdis.core.errors import InputError
from seqdis.core.kind_config import switch_kind
from seqdis.core.random import GeneratorLike, randn, stack_generators
from seqdis.core.registry import get_sampler, list_samplers

__all__ = ["Sampling"]

_QUICK = 8


class Sampling:
    """The sampler of a model and its inverter on the same levels, with guidance and the draw of the first noise.

    Args:
        sampler: Sampler to begin with, as :meth:`use` takes it.
        guidable: Whether the model was trained with dropped conditions.
        chain: The discrete chain that the model was trained on, if any.
        shared_noise: Whether the first noise and all fresh noise is one draw for all steps of a sequence.

    Raises:
        InputError: The sampler cannot be used with this model; see :meth:`use`.
    """

    def __init__(
        self,
        sampler: Sampler | SamplerConfig,
        *,
        guidable: bool,
        chain: DiscreteSchedule | None = None,
        shared_noise: bool = False,
    ) -> None:
        self._guidable, self._chain, self._shared = guidable, chain, shared_noise
        self.use(sampler)

    @property
    def config(self) -> SamplerConfig:
        """The settings of the sampler in use."""
        return self.sampler.config

    def use(self, sampler: Sampler | SamplerConfig | str) -> None:
        """Sample and invert with another algorithm, other noise levels, guidance or churn from now on.

        Args:
            sampler: A sampler, its settings, or its name. With a name, the present settings that both have are kept.

        Raises:
            InputError: There is no such sampler; or it asks for guidance, and the model was trained without dropped
                conditions; or it asks for noise levels that the model does not have.
        """
        self.sampler = self._for_this_model(sampler)
        self.inverter = self.sampler.deterministic()

    def _for_this_model(self, sampler: Sampler | SamplerConfig | str) -> Sampler:
        if isinstance(sampler, str):
            sampler = switch_kind(self.config, sampler)
        if isinstance(sampler, SamplerConfig):
            sampler = get_sampler(sampler.kind).from_config(sampler)
        if not isinstance(sampler, Sampler):
            raise InputError(
                f"sampler {sampler!r}; allowed: a sampler such as DDIMSampler(steps=16), its settings, or a name: "
                f"{', '.join(list_samplers())}"
            )
        if sampler.config.guidance != 1 and not self._guidable:
            raise InputError(
                f"sampler.guidance {sampler.config.guidance}: this model was trained with condition_dropout 0; "
                "allowed: 1"
            )
        placed = sampler.on(self._chain)
        _ = placed.sigmas  # refused here, not at the first sample
        return placed

    def _instead(self, sampler: Sampler | SamplerConfig | str) -> Sampler:
        """The sampler of one call: where it says nothing about guidance, the model's stays."""
        chosen = self._for_this_model(sampler)
        silent = {"guidance", "guidance_interval"} - chosen.config.model_fields_set
        return chosen.replace(**{name: getattr(self.config, name) for name in silent})

    @contextlib.contextmanager
    def quick(self) -> Iterator[None]:
        """Sample with at most eight noise levels and no fresh noise within a ``with`` block, for previews."""
        usual = self.sampler
        self.use(usual.replace(steps=min(usual.config.steps, _QUICK), **usual.noiseless))
        try:
            yield
        finally:
            self.use(usual)

    def denoise(self, bind: Callable[[Tensor], DenoiseFunction], z: Tensor) -> DenoiseFunction:
        """The denoiser for conditions ``z``, guided against the null condition (zeros) where there is guidance."""
        return GuidedDenoiser(bind, z, self.config.guidance, self.config.guidance_interval)

    def sample(
        self,
        denoise: DenoiseFunction,
        shape: tuple[int, ...],
        *,
        noise: Tensor | None = None,
        frames: bool = False,
        sampler: Sampler | SamplerConfig | str | None = None,
        generator: GeneratorLike | Sequence[torch.Generator] | None = None,
        progress: Callable[[int, int], None] | None = None,
        device: torch.device | str = "cpu",
    ) -> SampleResult:
        """Clean latents ``(B, V, *latent)`` in float32, with their graph where gradients are enabled.

        Args:
            denoise: ``D(x, σ)`` of whole clips, or of ``B·V`` frames; from :meth:`denoise`, where guidance may
                be asked for.
            shape: Shape of the result, ``(B, V, *latent)``.
            noise: Noise to start from, with std σ_max, of this shape or one clip for all; drawn when omitted.
            frames: Whether ``denoise`` takes ``B·V`` frames rather than B clips.
            sampler: Sampler for this call alone, as :meth:`use` takes it; the model's own when omitted. Where it does
                not set guidance, that of the model is kept.
            generator: Source of the first and all fresh noise: one generator for all samples, or one for each.
            progress: Function called after each noise level.
            device: Device to sample on.

        Raises:
            InputError: The noise has another shape, there is neither noise nor a generator where needed, or
                the sampler cannot be used (see :meth:`use`).
        """
        chosen = self.sampler if sampler is None else self._instead(sampler)
        if isinstance(denoise, GuidedDenoiser):
            denoise = denoise.guided(chosen.config.guidance, chosen.config.guidance_interval)
        rows = stack_generators(generator, shape[0]) if noise is None or chosen.draws else None
        if rows is not None and self._shared:
            rows = rows.shared()
        if noise is None and rows is not None:
            noise = chosen.sigma_max * randn(shape, generator=rows, device=device)
        if noise is None or noise.shape[1:] != shape[1:] or len(noise) not in (1, shape[0]):
            given = None if noise is None else tuple(noise.shape)
            raise InputError(f"noise: shape {given}; allowed: {shape}")
        start = noise.to(device).expand(shape)
        result = chosen.sample(
            denoise,
            start.flatten(0, 1) if frames else start,
            generator=rows,
            progress=progress,
            grad=torch.is_grad_enabled(),
        )
        return SampleResult(result.x.float().view(shape), result.nfe)
