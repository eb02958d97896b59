"""DSVAE: a sequential VAE with one factor for the clip and one for each step, and nothing but its ELBO."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec, IdentityCodec
from seqdis.core.config import Config
from seqdis.core.data.normalize import Normalizer
from seqdis.core.data.steps import entry_weights, existing_first, take_steps
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.methods.dsvae.config import DSVAEConfig
from seqdis.core.methods.dsvae.hooks import DSVAEHooks
from seqdis.core.methods.dsvae.posterior import FrameDynamics, SequenceDynamics, StaticPosterior
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.passes import each_frame
from seqdis.core.nn.recurrent_gaussian import FactorPosterior, PriorLSTM
from seqdis.core.priors.factorised import FactorisedPrior
from seqdis.core.progress import Progress
from seqdis.core.random import GeneratorLike, GeneratorStack, randn, stack_generators
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.diffusion.samplers.base import Sampler
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
    from seqdis.core.modality import Modality

__all__ = ["DSVAE", "DSVAEConfig"]


class DSVAE(Disentangler):
    """``p(x, s, d) = p(s) Π_τ p(d^τ | d^{<τ}) p(x^τ | s, d^τ)`` with ``x^τ ~ N(μ(s, d^τ), σ²)`` (Li & Mandt 2018).

    The loss is the negative evidence lower bound and nothing else: that ``s`` has no step and ``d^τ`` few
    dimensions is all that separates them. :meth:`encode` gives the posterior's means, in the full form the
    dynamics' at the mean of ``s``, and :meth:`decode` the mean frames: both are deterministic.

    Args:
        frame_shape: Shape of a natural frame.
        frame_encoder: ``(N, *latent) -> (N, features)``.
        static_posterior: Features ``(B, V, C)`` and lengths ``(B,)`` to ``q(s)``.
        dynamic_posterior: Features, ``s (B, S)`` and lengths to ``q(d^{1:V})``.
        dynamics: ``p(d^τ | d^{<τ})``.
        frame_decoder: ``(N, S + D) -> (N, *latent)``.
        config: Sizes and weights.
        codec: Frame codec in front of the model; identity when omitted.
        normalizer: Brings coded frames to zero mean and std 0.5.

    Raises:
        InputError: Frames in [0, 1] are to come out of a codec that has others.
    """

    config_class: ClassVar[type[Config]] = DSVAEConfig

    def __init__(
        self,
        *,
        frame_shape: tuple[int, ...],
        frame_encoder: nn.Module,
        static_posterior: nn.Module,
        dynamic_posterior: nn.Module,
        dynamics: PriorLSTM,
        frame_decoder: nn.Module,
        config: DSVAEConfig,
        codec: FrameCodec | None = None,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__(frame_shape=frame_shape, codec=codec, normalizer=normalizer)
        if config.output == "sigmoid" and not isinstance(self.codec, IdentityCodec):
            raise InputError("model.output is 'sigmoid'; behind a frame codec allowed: linear")
        self.config = config
        self.frame_encoder = frame_encoder
        self.static_posterior = static_posterior
        self.dynamic_posterior = dynamic_posterior
        self.dynamics = dynamics
        self.frame_decoder = frame_decoder

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
        """Build it with the modality's networks for the shape of coded frames."""
        c, latent = config, codec.latent_shape(frame_shape)
        dynamic_posterior: nn.Module
        if c.posterior == "full":
            dynamic_posterior = SequenceDynamics(
                c.features, c.hidden_dim, c.dynamic_dim, static=c.static_dim, layer_norm=c.layer_norm
            )
        else:
            dynamic_posterior = FrameDynamics(
                c.features, c.hidden_dim, c.dynamic_dim, layer_norm=c.layer_norm
            )
        return cls(
            config=c,
            frame_shape=frame_shape,
            codec=codec,
            normalizer=normalizer,
            frame_encoder=modality.frame_encoder(c.encoder, frame_shape=latent, features=c.features),
            static_posterior=StaticPosterior(c.features, c.hidden_dim, c.static_dim, layer_norm=c.layer_norm),
            dynamic_posterior=dynamic_posterior,
            dynamics=PriorLSTM(c.dynamic_dim, c.hidden_dim),
            frame_decoder=modality.frame_decoder(
                c.decoder, frame_shape=latent, condition=c.static_dim + c.dynamic_dim
            ),
        )

    def training_hooks(self) -> DSVAEHooks:
        """The hooks compile both networks of a frame."""
        return DSVAEHooks(self)

    def learned_prior(self) -> FactorisedPrior:
        """``s ~ N(0, I)``, and ``d^{1:V}`` of any length, step after step from the LSTM."""
        length = self.run_config.data.length if self.run_config is not None else 1

        def draw(rows: GeneratorStack, steps: int) -> Factors:
            shape = (len(rows), self.config.static_dim)
            return Factors(
                randn(shape, generator=rows, device=self.device), self.dynamics.draw(steps, generator=rows)
            )

        return FactorisedPrior(draw, steps=length)

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        """The posterior's means, ``static (B, S)`` and ``dynamic (B, V, D)``."""
        q, _, _ = self.infer(self.to_model_space(sequences), sequences.mask)
        return Factors(q.static.mean, q.dynamic.mean)

    @torch.no_grad()
    def draw_factors(self, sequences: Any, *, generator: GeneratorLike) -> Factors:
        """One draw from the posterior, ``static (B, S)`` and ``dynamic (B, V, D)``.

        Args:
            sequences: Anything that :func:`~seqdis.core.coercion.as_sequences` reads.
            generator: Source of the draws, one stream a sequence.
        """
        ready = self._ready(sequences)
        rows = stack_generators(generator, len(ready))
        _, static, dynamic = self.infer(self.to_model_space(ready), ready.mask, generator=rows)
        return Factors(static, dynamic).with_index_of(ready)

    def infer(
        self, y: Tensor, mask: Tensor | None = None, *, generator: GeneratorStack | None = None
    ) -> tuple[FactorPosterior, Tensor, Tensor]:
        """The posterior of frames ``y (B, V, *latent)``, and ``s (B, S)`` and ``d (B, V, D)`` from it.

        Args:
            y: Frames in model space, 0 in every gap, ``(B, V, *latent)``.
            mask: True where a step exists, ``(B, V)``; the others reach none of the results.
            generator: Both factors are drawn; without one, they are the means.
        """
        features = each_frame(self.frame_encoder, y, size=self.config.max_frames_per_pass)
        lengths = torch.full((len(y),), y.shape[1], device=y.device)
        back = None
        if mask is not None:
            order, back = existing_first(mask)
            features, lengths = take_steps(features, order), mask.sum(1).clamp(min=1)
        q_static = self.static_posterior(features, lengths)
        static = q_static.mean if generator is None else q_static.draw(generator)
        q = self.dynamic_posterior(features, static, lengths)
        if back is not None:
            q = DiagonalGaussian(take_steps(q.mean, back), take_steps(q.log_std, back))
        dynamic = q.mean if generator is None else q.draw(generator)
        return FactorPosterior(q_static, q), static, dynamic

    def _frames(self, static: Tensor, dynamic: Tensor) -> Tensor:
        """Mean of ``p(x^τ | s, d^τ)``, ``(B, V, *latent)``: in [0, 1] or in model space, as the config says."""
        repeated = static[:, None].expand(-1, dynamic.shape[1], -1)
        z = torch.cat([repeated, dynamic], dim=2)
        mean = each_frame(self.frame_decoder, z, size=self.config.max_frames_per_pass)
        return mean if self.config.output == "linear" else mean.sigmoid()

    def _decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None,
        sampler: Sampler | SamplerConfig | str | None,
        generator: GeneratorLike | Sequence[torch.Generator] | None,
        progress: Progress | None,
    ) -> Tensor:
        """The mean frames given the factors; nothing is drawn.

        Raises:
            InputError: The factors are of another model's widths.
        """
        widths = (factors.static.shape[1], factors.dynamic.shape[-1])
        allowed = (self.config.static_dim, self.config.dynamic_dim)
        if widths != allowed:
            raise InputError(f"static and dynamic factors of widths {widths}; allowed: {allowed}")
        frames = self._frames(factors.static, factors.dynamic)
        if self.config.output == "linear":
            frames = self.from_model_space(frames, max_frames_per_pass=self.config.max_frames_per_pass)
        if progress is not None:
            progress(1, 1)
        return frames

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """The negative ELBO in nats a sequence, at one draw from the posterior, each divergence with its weight."""
        y = self.to_model_space(sequences)
        q, static, dynamic = self.infer(y, sequences.mask, generator=generator)
        terms = self.negative_elbo(
            sequences.x if self.config.output == "sigmoid" else y,
            q,
            static,
            dynamic,
            weight=entry_weights(sequences, y),
            mask=sequences.mask,
        )
        means = {name: value.mean() for name, value in terms.items()}
        total = (
            means["reconstruction"]
            + self.config.kl_static_weight * means["kl_static"]
            + self.config.kl_dynamic_weight * means["kl_dynamic"]
        )
        return LossOutput(total, {name: value.detach() for name, value in means.items()})

    def negative_elbo(
        self,
        frames: Tensor,
        q: FactorPosterior,
        static: Tensor,
        dynamic: Tensor,
        *,
        weight: Tensor | None = None,
        mask: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The terms of the negative ELBO (Li & Mandt 2018) at one draw from the posterior, each ``(B,)`` in nats.

        ``−Σ_τ ln p(x^τ | s, d^τ)``, ``KL(q(s) ‖ N(0, I))`` and ``Σ_τ KL(q(d^τ) ‖ p(d^τ | d^{<τ}))``, where the
        prior reads what was drawn from the posterior. A step that does not exist has none of them, and the
        prior passes over it; an entry that was not measured has no likelihood.

        Args:
            frames: Frames that the decoder must give, ``(B, V, *latent)``.
            q: Posterior of both factors.
            static: Drawn from it, ``(B, S)``.
            dynamic: Drawn from it, ``(B, V, D)``.
            weight: 1 where an entry was measured, else 0, broadcasting over ``frames``; all were when omitted.
            mask: True where a step exists, ``(B, V)``; all do when omitted.
        """
        std = self.config.frame_std
        per_entry = (frames - self._frames(static, dynamic)).float().square() / (2 * std**2)
        per_entry = per_entry + (math.log(std) + 0.5 * math.log(2 * math.pi))
        if weight is not None:
            per_entry = per_entry * weight
        if mask is None:
            kl_dynamic = q.dynamic.kl(self.dynamics(dynamic))
        else:
            order, back = existing_first(mask)
            p = self.dynamics(take_steps(dynamic, order))
            p = DiagonalGaussian(take_steps(p.mean, back), take_steps(p.log_std, back))
            kl_dynamic = q.dynamic.kl(p) * mask
        return {
            "reconstruction": per_entry.flatten(1).sum(1),
            "kl_static": q.static.kl(),
            "kl_dynamic": kl_dynamic.sum(1),
        }
