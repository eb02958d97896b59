"""DiViD: video diffusion whose frames share their noise, conditioned by attention to two tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec
from seqdis.core.config import Config
from seqdis.core.data.normalize import Normalizer
from seqdis.core.diffusion.denoiser import Denoiser
from seqdis.core.diffusion.frame_loss import TrainingFrames, frame_denoising_loss
from seqdis.core.diffusion.noise import DiscreteSchedule, cosine_schedule, linear_schedule
from seqdis.core.diffusion.preconditioning import EpsilonPreconditioning, VelocityPreconditioning
from seqdis.core.diffusion.samplers.sampling import Sampling
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.methods.divid.config import DiViDConfig
from seqdis.core.methods.divid.hooks import DiViDHooks
from seqdis.core.nn.noisy_factors import NoisyFactors
from seqdis.core.nn.passes import each_frame
from seqdis.core.nn.predictability import Predictability
from seqdis.core.nn.residual_encoder import ResidualEncoder
from seqdis.core.progress import Progress
from seqdis.core.random import GeneratorLike, GeneratorStack, randn, stack_generators
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.diffusion.samplers.base import Sampler
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
    from seqdis.core.modality import Modality

__all__ = ["DiViD", "DiViDConfig"]


class DiViD(Disentangler):
    """``s`` from the first frame, ``d^{1:V}`` from what differs from it; a DDPM decodes both as two tokens.

    ``L = E‖ε − ε_θ(x_t^τ, t, [W_s·s, W_d·d^τ])‖² + λ·mean_τ cos²(W_s·s, W_d·d^τ)`` (Eq. 3-5), with one t and one
    ε for all frames of a sequence (Eq. 1): neither the noise nor the network, which sees single frames, can tell
    them apart, so what changes in a sequence must come from ``d``.

    Sampling keeps to that: the noise it starts from and all that is added on the way are one draw for all
    frames. Hence there is no ``invert``: the probability-flow ODE upward from real frames ends in different noise
    for each frame. The model never draws such noise, and it would carry into a swap what the factors do not hold.
    Reconstructions and swaps start from fresh noise, so that they show the factors and nothing else.

    Args:
        frame_shape: Shape of a natural frame.
        frame_encoder: Network from coded frames to features, ``(N, *latent) -> (N, feature_dim)``.
        denoiser: The denoiser's network ``F(x (N, *latent), c_noise (N,), z)`` with ``c_noise = ln(σ_t)/4``; ``z`` is
            ``(N, 2, token_dim)`` with cross-attention, else ``(N, 2·token_dim)``.
        config: Dimensions and options.
        codec: Frame codec in front of the model; identity when omitted.
        normalizer: Brings coded frames to zero mean and std 0.5.
    """

    config_class: ClassVar[type[Config]] = DiViDConfig
    sampling: Sampling

    def __init__(
        self,
        *,
        frame_shape: tuple[int, ...],
        frame_encoder: nn.Module,
        denoiser: nn.Module,
        config: DiViDConfig,
        codec: FrameCodec | None = None,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__(frame_shape=frame_shape, codec=codec, normalizer=normalizer)
        c = self.config = config
        self.frame_encoder = frame_encoder
        self.sequence_encoder = ResidualEncoder(
            c.feature_dim,
            c.static_dim,
            c.dynamic_dim,
            hidden=c.hidden_dim,
            width=c.attention_dim,
            heads=c.attention_heads,
            residual=c.first_frame_residual,
            static_frames=c.static_frames,
        )
        self.channels = NoisyFactors(static_noise=c.static_noise, dynamic_noise=c.dynamic_noise)
        self.predictability = (
            Predictability(c.static_dim, c.dynamic_dim, weight=c.predictability_weight)
            if c.predictability_weight
            else None
        )
        self.static_token = nn.Linear(c.static_dim, c.token_dim, bias=False)
        self.dynamic_token = nn.Linear(c.dynamic_dim, c.token_dim, bias=False)
        for layer in (self.static_token, self.dynamic_token):
            nn.init.normal_(layer.weight, std=layer.in_features**-0.5)
        self.schedule = _chain(c)
        epsilon = c.prediction == "epsilon"
        self.denoiser = Denoiser(
            denoiser,
            preconditioning=EpsilonPreconditioning(self.schedule, log_noise=True)
            if epsilon
            else VelocityPreconditioning(self.schedule, log_noise=True),
        )
        self.sampling = Sampling(c.sampler, guidable=False, chain=self.schedule, shared_noise=c.shared_noise)

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
        """Build the model with the modality's backbones for the shape of coded frames.

        Raises:
            InputError: The configuration asks for cross-attention, and the modality has no denoiser with it.
        """
        latent = codec.latent_shape(frame_shape)
        if config.cross_attention:
            denoiser = modality.token_denoiser(config.denoiser, frame_shape=latent, context=config.token_dim)
        else:
            denoiser = modality.denoiser(config.denoiser, frame_shape=latent, condition=2 * config.token_dim)
        return cls(
            frame_shape=frame_shape,
            frame_encoder=modality.frame_encoder(
                config.encoder, frame_shape=latent, features=config.feature_dim
            ),
            denoiser=denoiser,
            config=config,
            codec=codec,
            normalizer=normalizer,
        )

    def training_hooks(self) -> DiViDHooks:
        """The hooks show the bottleneck over t, and compile both backbones."""
        return DiViDHooks(self)

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        return self.factors(self.to_model_space(sequences), sequences.mask)

    def factors(self, y: Tensor, mask: Tensor | None, rows: GeneratorStack | None = None) -> Factors:
        """Factors of normalised coded frames ``(B, V, *latent)``, of which ``mask`` says which exist.

        Args:
            y: Frames that the factors are read from.
            mask: True where a step exists; all do when omitted.
            rows: Source of the frames that s is read from in training; see ``static_frames``.
        """
        features = each_frame(self.frame_encoder, y, size=self.config.max_frames_per_pass)
        static, dynamic = self.sequence_encoder(features, mask, rows)
        return self.channels.bounded(Factors(static, dynamic))

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

    def tokens(self, factors: Factors) -> Tensor:
        """``[W_s·s, W_d·d^τ]`` of every step, ``(B, V, 2, token_dim)``.

        Raises:
            InputError: The factors have the widths of another model.
        """
        c = self.config
        received = (tuple(factors.static.shape[1:]), tuple(factors.dynamic.shape[2:]))
        if received != ((c.static_dim,), (c.dynamic_dim,)):
            raise InputError(
                f"factors of widths {received}; the model's are {((c.static_dim,), (c.dynamic_dim,))}"
            )
        dynamic = self.dynamic_token(factors.dynamic)
        static = self.static_token(factors.static)[:, None].expand_as(dynamic)
        return torch.stack([static, dynamic], dim=2)

    def as_condition(self, tokens: Tensor) -> Tensor:
        """The denoiser's condition: both tokens ``(B, V, 2, token_dim)``, or for AdaGN ``(B, V, 2·token_dim)``."""
        return tokens if self.config.cross_attention else tokens.flatten(2)

    def draw_noise(self, shape: Sequence[int], generator: GeneratorStack, device: torch.device) -> Tensor:
        """Standard normal noise ``(B, V, *latent)``: one draw for all frames of a sequence (Eq. 1)."""
        rows = generator.shared() if self.config.shared_noise else generator
        return randn(shape, generator=rows, device=device)

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """``L_DDPM + λ·L_orth`` (Eq. 3-5), over observed entries of existing steps.

        With ``frames_per_clip = K`` the encoder sees all V frames and the denoiser K random ones: the
        network denoises single frames, so the estimate is unbiased.
        """
        c = self.config
        y = self.to_model_space(sequences)
        factors = self.factors(y, sequences.mask, generator)
        factors = self.channels(factors, generator)
        tokens = self.tokens(factors)
        orthogonality = self.orthogonality(tokens, sequences.mask)
        frames = TrainingFrames.pick(
            y, self.as_condition(tokens), sequences, keep=c.frames_per_clip, generator=generator
        )
        y = frames.y
        sigma = self.schedule.draw((len(y), 1), generator=generator, device=y.device)
        noise = self.draw_noise(y.shape, generator, y.device)
        if c.prediction != c.loss_on:
            # ‖v_θ − v‖² = (1 + σ²)·‖ε_θ − ε‖²: the same error in the other's unit.
            share = (1 + sigma.square()) ** (1 if c.loss_on == "velocity" else -1)
            share = share.view(-1, *(1,) * (y.ndim - 1))
            weight = share.expand(y.shape) if frames.weight is None else frames.weight * share
            frames = replace(frames, weight=weight)
        ddpm = frame_denoising_loss(self.denoiser, frames, sigma=sigma.expand(y.shape[:2]), noise=noise)
        terms = {"ddpm": ddpm.detach(), "orthogonality": orthogonality.detach()}
        loss = ddpm + c.orthogonality * orthogonality if c.orthogonality else ddpm
        if self.predictability is not None:
            told = self.predictability(factors.static, factors.dynamic, sequences.mask)
            loss = loss + told.total
            terms |= told.terms
        return LossOutput(loss, terms)

    @staticmethod
    def orthogonality(tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """``L_orth = mean cos²(W_s·s, W_d·d^τ)`` (Eq. 4): a mean over sequences of means over their steps.

        Args:
            tokens: Static and dynamic token of every step, ``(B, V, 2, token_dim)``.
            mask: True where a step exists, ``(B, V)``; all do when omitted.
        """
        squares = F.cosine_similarity(tokens[:, :, 0].float(), tokens[:, :, 1].float(), dim=2).square()
        if mask is None:
            return squares.mean()
        present = mask.to(squares)
        return ((squares * present).sum(1) / present.sum(1)).mean()

    def _decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None,
        sampler: Sampler | SamplerConfig | str | None,
        generator: GeneratorLike | Sequence[torch.Generator] | None,
        progress: Progress | None,
    ) -> Tensor:
        """Sample ``x^{1:V}`` given the factors (Eq. 2); all fresh noise is one draw for the frames of a sequence."""
        z, size = self.as_condition(self.tokens(factors)), self.config.max_frames_per_pass
        result = self.sampling.sample(
            self.denoiser.bind(z.flatten(0, 1), max_frames_per_pass=size),
            (*z.shape[:2], *self.codec.latent_shape(self.frame_shape)),
            noise=noise,
            sampler=sampler,
            frames=True,
            generator=generator,
            progress=progress,
            device=self.device,
        )
        return self.from_model_space(result.x, max_frames_per_pass=size)


def _chain(config: DiViDConfig) -> DiscreteSchedule:
    if config.beta_schedule == "cosine":
        return cosine_schedule(config.timesteps)
    return linear_schedule(config.timesteps)
