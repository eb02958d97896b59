"""DiffSDA: diffusion sequential disentanglement autoencoder, for any modality."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec
from seqdis.core.config import Config
from seqdis.core.data.normalize import Normalizer
from seqdis.core.data.steps import valid_entries
from seqdis.core.diffusion.denoiser import DenoiseFunction, Denoiser
from seqdis.core.diffusion.frame_loss import TrainingFrames, frame_denoising_loss
from seqdis.core.diffusion.guidance import drop_conditions
from seqdis.core.diffusion.noise import LogNormalNoise
from seqdis.core.diffusion.samplers.sampling import Sampling
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.methods.diffsda.hooks import DiffSDAHooks
from seqdis.core.nn.noisy_factors import NoisyFactors
from seqdis.core.nn.passes import each_frame
from seqdis.core.nn.predictability import Predictability
from seqdis.core.nn.recurrent import FactorLSTM
from seqdis.core.nn.residual_encoder import ResidualEncoder
from seqdis.core.progress import Progress
from seqdis.core.random import GeneratorLike, GeneratorStack, rand, randn, stack_generators
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.diffusion.samplers.base import Sampler
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
    from seqdis.core.modality import Modality

__all__ = ["DiffSDA", "DiffSDAConfig"]


class DiffSDA(Disentangler):
    """One loss, two encoders, one denoiser: ``x^{1:V} -> (s, d^{1:V})``, ``D(x_t^τ; σ, (s, d^τ))``.

    The semantic encoder maps each frame to a feature and two LSTMs to the factors (Sec. 3.2). The
    denoiser sees each frame alone, given ``z^τ = (s, d^τ)``, under EDM's preconditioning (Eq. 4).
    The static factor is shared by all frames and the dynamic ones are small: nothing else disentangles them.

    Args:
        frame_shape: Shape of a natural frame.
        frame_encoder: Network from coded frames to features, ``(N, *latent) -> (N, hidden_dim)``.
        denoiser: The denoiser's network ``F(x (N, *latent), c_noise (N,), z (N, static_dim + dynamic_dim))``.
        config: Dimensions and options.
        codec: Frame codec in front of the model; identity when omitted.
        normalizer: Brings coded frames to zero mean and std 0.5 (App. B.2).
    """

    config_class: ClassVar[type[Config]] = DiffSDAConfig
    sampling: Sampling

    def __init__(
        self,
        *,
        frame_shape: tuple[int, ...],
        frame_encoder: nn.Module,
        denoiser: nn.Module,
        config: DiffSDAConfig,
        codec: FrameCodec | None = None,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__(frame_shape=frame_shape, codec=codec, normalizer=normalizer)
        self.config = config
        self.frame_encoder = frame_encoder
        self.sequence_encoder = _sequence_encoder(config)
        self.denoiser = Denoiser(denoiser)
        self.noise = LogNormalNoise(config.p_mean, config.p_std)
        self.predictability = (
            Predictability(config.static_dim, config.dynamic_dim, weight=config.predictability_weight)
            if config.predictability_weight
            else None
        )
        self.channels = NoisyFactors(static_noise=config.static_noise, dynamic_noise=config.dynamic_noise)
        self.sampling = Sampling(config.sampler, guidable=config.condition_dropout > 0)

    @classmethod
    def from_config(
        cls,
        config: Any,
        *,
        modality: Modality,
        frame_shape: tuple[int, ...],
        codec: FrameCodec,
        normalizer: Normalizer,
    ) -> Self:
        """Build the model with the modality's backbones for the shape of coded frames."""
        latent = codec.latent_shape(frame_shape)
        condition = config.static_dim + config.dynamic_dim
        return cls(
            frame_shape=frame_shape,
            frame_encoder=modality.frame_encoder(
                config.encoder, frame_shape=latent, features=config.hidden_dim
            ),
            denoiser=modality.denoiser(config.denoiser, frame_shape=latent, condition=condition),
            config=config,
            codec=codec,
            normalizer=normalizer,
        )

    def training_hooks(self) -> DiffSDAHooks:
        """The hooks compile both backbones."""
        return DiffSDAHooks(self)

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        return self._factors(self.to_model_space(sequences), sequences.mask)

    @torch.no_grad()
    def draw_factors(self, sequences: Any, *, generator: GeneratorLike) -> Factors:
        """The factors as the decoder is given them in training: behind their noisy channels, if there are any.

        Args:
            sequences: Anything that :func:`~seqdis.core.coercion.as_sequences` reads.
            generator: Source of the noise, one stream a sequence.
        """
        factors = self.encode(sequences, generator=generator)
        rows = stack_generators(generator, len(factors))
        return self.channels.draw(factors, rows)

    def _factors(self, y: Tensor, mask: Tensor | None, rows: GeneratorStack | None = None) -> Factors:
        features = each_frame(self.frame_encoder, y, size=self.config.max_frames_per_pass)
        drawn = () if self.config.static_frames == "first" else (rows,)
        static, dynamic = self.sequence_encoder(features, mask, *drawn)
        return self.channels.bounded(Factors(static, dynamic))

    def condition(self, factors: Factors) -> Tensor:
        """``z^τ = (s, d^τ)`` of every step, ``(B, V, S + D)``."""
        static = factors.static
        if static.ndim == 2:
            static = static[:, None].expand(-1, factors.steps, -1)
        if static.shape[1] != factors.steps:
            raise InputError(
                f"factors with a static of {static.shape[1]} steps and a dynamic of {factors.steps}"
            )
        widths = (static.shape[-1], factors.dynamic.shape[-1])
        if widths != (self.config.static_dim, self.config.dynamic_dim):
            raise InputError(
                f"factors of widths {widths}; the model's are {(self.config.static_dim, self.config.dynamic_dim)}"
            )
        return torch.cat([static, factors.dynamic], dim=2).to(self.device)

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """``E_σ λ(σ)‖D(x + n; σ, z) − x‖²`` (Eq. 5), over observed entries of existing steps.

        With ``frames_per_clip = K`` the encoder sees all V frames and the denoiser K random ones:
        frames are denoised independently given ``z``, so the estimate is unbiased.
        """
        c = self.config
        y = self.to_model_space(sequences)
        factors = self._factors(y, sequences.mask, generator)
        factors = self.channels(factors, generator)
        z = self.condition(factors)
        frames = TrainingFrames.pick(y, z, sequences, keep=c.frames_per_clip, generator=generator)
        frames = frames.repeated(c.noise_repeats)
        if c.condition_dropout > 0:
            dropped = rand(frames.z.shape[:2], generator=generator, device=z.device) < c.condition_dropout
            frames = replace(frames, z=drop_conditions(frames.z, dropped))
        size, steps = frames.y.shape[:2]
        draws = (size, steps) if c.sigma_per == "frame" else (size, c.noise_repeats)
        sigma = self.noise.draw(draws, generator=generator, device=y.device)
        sigma = sigma.repeat_interleave(steps // draws[1], dim=1)
        noise = randn(frames.y.shape, generator=generator, device=y.device)
        loss = frame_denoising_loss(self.denoiser, frames, sigma=sigma, noise=noise)
        terms = {"diffusion": loss.detach()}
        if self.predictability is not None:
            told = self.predictability(factors.static, factors.dynamic, sequences.mask)
            loss = loss + told.total
            terms |= told.terms
        return LossOutput(loss, terms)

    def _decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None,
        sampler: Sampler | SamplerConfig | str | None,
        generator: GeneratorLike | Sequence[torch.Generator] | None,
        progress: Progress | None,
    ) -> Tensor:
        """Sample ``x^{1:V}`` given the factors (Alg. 1)."""
        y = self._sample(factors, noise=noise, sampler=sampler, generator=generator, progress=progress)
        return self.from_model_space(y, max_frames_per_pass=self.config.max_frames_per_pass)

    def _sample(self, factors: Factors, *, noise: Tensor | None, **options: Any) -> Tensor:
        z = self.condition(factors)
        shape = (*z.shape[:2], *self.codec.latent_shape(self.frame_shape))
        return self.sampling.sample(
            self._bind(z), shape, noise=noise, frames=True, device=self.device, **options
        ).x

    def _bind(self, z: Tensor) -> DenoiseFunction:
        size = self.config.max_frames_per_pass
        return self.sampling.denoise(
            lambda z: self.denoiser.bind(z, max_frames_per_pass=size), z.flatten(0, 1)
        )

    def invert(
        self, sequences: Any, factors: Factors, *, progress: Progress | None = None, grad: bool = False
    ) -> Tensor:
        """Stochastic encoding (Alg. 2): the ``x_T (B, V, *latent)`` from which ``decode`` gives the sequences back.

        Missing entries are first filled in with the model's own decoding from the noise 0, the mean of all noise: a
        probability-flow ODE through the mean of the data would end in noise that decodes to that mean.

        Args:
            sequences: Sequences that the factors were encoded from, in any form that :meth:`encode` takes.
            factors: Factors that :meth:`encode` gave for them.
            progress: Function called after each noise level.
            grad: Keep the graph, so that gradients can flow back to the sequences and the factors.
        """
        ready = self._ready(sequences)
        with torch.set_grad_enabled(grad):
            y = self.to_model_space(ready)
            valid = valid_entries(ready, y)
            if valid is not None and not bool(valid.all()):
                filled = self._sample(factors, noise=torch.zeros_like(y), generator=_no_draws(len(y)))
                y = torch.where(valid, y, filled)
            denoise = self._bind(self.condition(factors))
            result = self.sampling.inverter.invert(denoise, y.flatten(0, 1), progress=progress, grad=grad)
            return result.x.float().unflatten(0, y.shape[:2])


def _no_draws(count: int) -> GeneratorStack:
    """Generators for a sampler that adds fresh noise, the same ones at every call."""
    return GeneratorStack.each([torch.Generator().manual_seed(row) for row in range(count)])


def _sequence_encoder(config: DiffSDAConfig) -> nn.Module:
    """The network from the features of all frames to both factors, ``(B, V, hidden_dim) -> s, d``."""
    widths = config.hidden_dim, config.static_dim, config.dynamic_dim
    if config.sequence_encoder == "residual":
        heads = config.attention_heads
        return ResidualEncoder(
            *widths,
            hidden=2 * config.hidden_dim,
            width=config.hidden_dim,
            heads=heads,
            static_frames=config.static_frames,
        )
    return FactorLSTM(*widths, causal=config.causal, shared=config.shared_static, memory=config.memory)
