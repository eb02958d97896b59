"""S3VAE: a sequential VAE that three self-supervised losses disentangle."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqdis.core.codec import FrameCodec, IdentityCodec
from seqdis.core.config import Config
from seqdis.core.data.normalize import Normalizer
from seqdis.core.data.steps import entry_weights
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.methods.s3vae.config import S3VAEConfig
from seqdis.core.methods.s3vae.fixed_network import fixed
from seqdis.core.methods.s3vae.gradient_reversal import reverse_gradient
from seqdis.core.methods.s3vae.hooks import MOVING_VALUES, S3VAEHooks
from seqdis.core.methods.s3vae.information_ceiling import SaturationWarning, information_ceiling
from seqdis.core.methods.s3vae.mutual_information import pairwise_log_density, weighted_mutual_information
from seqdis.core.methods.s3vae.target_prediction import prediction_loss, target_predictor
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.gaussian_channel import unit_power
from seqdis.core.nn.passes import each_frame
from seqdis.core.nn.predictability import Predictability
from seqdis.core.nn.recurrent_gaussian import FactorPosterior, PosteriorLSTM, PriorLSTM
from seqdis.core.priors.factorised import FactorisedPrior
from seqdis.core.progress import Progress
from seqdis.core.random import GeneratorLike, GeneratorStack, rand, randn, stack_generators
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.diffusion.samplers.base import Sampler
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
    from seqdis.core.modality import Modality

__all__ = ["S3VAE", "S3VAEConfig"]


class S3VAE(Disentangler):
    """``L = L_VAE + λ₁·L_SCC + λ₂·L_DFP + λ₃·L_MI`` (Eq. 9); ``x^τ ~ N(μ(s, d^τ), σ²)``.

    The static factor must stay the same when frames are shuffled (SCC), the dynamic one must predict where
    things move (DFP), and the two must share no information (MI). :meth:`encode` gives the means of
    the posterior and :meth:`decode` those of the frames: both are deterministic.

    In the paper's text the decoder gives ``σ`` as well (Sec. 3), in its Tab. 1 it does not: here ``σ`` is
    ``config.frame_std``, as in the field's implementations.

    Args:
        frame_shape: Shape of a natural frame.
        frame_encoder: Network from coded frames to features, ``(N, *latent) -> (N, features)``.
        posterior: Network from features to the posterior of both factors, ``(B, V, features) -> FactorPosterior``.
        dynamics: Prior of the dynamic factor, ``p(d^τ | d^{<τ})``.
        frame_decoder: Network from the factors of a step to a coded frame, ``(N, S + D) -> (N, *latent)``.
        config: Sizes and weights.
        codec: Frame codec in front of the model; identity when omitted.
        normalizer: Brings coded frames to zero mean and std 0.5.

    Raises:
        InputError: The decoder's output is ``"sigmoid"``, and the values of coded frames are not in [0, 1].
    """

    config_class: ClassVar[type[Config]] = S3VAEConfig

    def __init__(
        self,
        *,
        frame_shape: tuple[int, ...],
        frame_encoder: nn.Module,
        posterior: nn.Module,
        dynamics: PriorLSTM,
        frame_decoder: nn.Module,
        config: S3VAEConfig,
        codec: FrameCodec | None = None,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__(frame_shape=frame_shape, codec=codec, normalizer=normalizer)
        c = self.config = config
        if c.output == "sigmoid" and not isinstance(self.codec, IdentityCodec):
            raise InputError("model.output is 'sigmoid'; behind a frame codec allowed: linear")
        self.frame_encoder = frame_encoder
        self.posterior = posterior
        self.dynamics = dynamics
        self.frame_decoder = frame_decoder
        self.predictor = target_predictor(c.prediction, c.dynamic_dim) if c.prediction_weight else None
        self.adversary = target_predictor(c.prediction, c.static_dim) if c.reversal_weight else None
        self.predictability = (
            Predictability(c.static_dim, c.dynamic_dim, weight=c.predictability_weight)
            if c.predictability_weight
            else None
        )
        for name in MOVING_VALUES:  # not saved: a resumed training sets them before each step
            self.register_buffer(name, torch.tensor(getattr(c, name)), persistent=False)
        self.sequences: int | None = None
        self._saturation = SaturationWarning()

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
        latent, c = codec.latent_shape(frame_shape), config
        return cls(
            frame_shape=frame_shape,
            frame_encoder=modality.frame_encoder(c.encoder, frame_shape=latent, features=c.features),
            posterior=PosteriorLSTM(
                c.features,
                c.hidden_dim,
                static=c.static_dim,
                dynamic=c.dynamic_dim,
                layer_norm=c.layer_norm,
                static_frames=c.static_frames,
            ),
            dynamics=PriorLSTM(c.dynamic_dim, c.hidden_dim),
            frame_decoder=modality.frame_decoder(
                c.decoder, frame_shape=latent, condition=c.static_dim + c.dynamic_dim
            ),
            config=c,
            codec=codec,
            normalizer=normalizer,
        )

    @classmethod
    def required_targets(cls, config: Any) -> tuple[str, ...]:
        """The target that is predicted from either factor, unless both weights are 0."""
        asked = config.prediction and (config.prediction_weight or config.reversal_weight)
        return (config.prediction.target,) if asked else ()

    def training_hooks(self) -> S3VAEHooks:
        """The hooks store the number of training sequences, and compile both backbones."""
        return S3VAEHooks(self)

    def learned_prior(self) -> FactorisedPrior:
        """``s ~ N(0, I)`` and ``d^{1:V}`` from the LSTM (Eq. 1), of any length."""

        def draw(rows: GeneratorStack, steps: int) -> Factors:
            static = randn((len(rows), self.config.static_dim), generator=rows, device=self.device)
            return Factors(static, self.dynamics.draw(steps, generator=rows))

        return FactorisedPrior(draw, steps=1 if self.run_config is None else self.run_config.data.length)

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        """The posterior's means, ``static (B, S)`` and ``dynamic (B, V, D)``."""
        q = self._posterior(self._features(self.to_model_space(sequences)), sequences.mask)
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
        q = self._posterior(self._features(self.to_model_space(ready)), ready.mask)
        return Factors(q.static.draw(rows), q.dynamic.draw(rows)).with_index_of(ready)

    def _posterior(
        self, features: Tensor, mask: Tensor | None = None, rows: GeneratorStack | None = None
    ) -> FactorPosterior:
        """``q(s, d^{1:V} | x)``; with ``dynamic_noise``, ``q(d^τ | x) = N(√D·μ/‖μ‖, σ²)`` with that σ."""
        q: FactorPosterior = self.posterior(features, mask, rows)
        if not self.config.dynamic_noise:
            return q
        mean = unit_power(q.dynamic.mean)
        std = torch.as_tensor(self._moving("dynamic_noise"), device=mean.device, dtype=mean.dtype)
        return FactorPosterior(q.static, DiagonalGaussian(mean, std.log().expand_as(mean)))

    def _features(self, y: Tensor) -> Tensor:
        return each_frame(self.frame_encoder, y, size=self.config.max_frames_per_pass)

    def _frames(self, static: Tensor, dynamic: Tensor) -> Tensor:
        """Mean of ``p(x^τ | s, d^τ)``, ``(B, V, *latent)``, in [0, 1] or in model space."""
        z = torch.cat([static[:, None].expand(-1, dynamic.shape[1], -1), dynamic], dim=2)
        mean = each_frame(self.frame_decoder, z, size=self.config.max_frames_per_pass)
        return mean.sigmoid() if self.config.output == "sigmoid" else mean

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
            InputError: The factors have the widths of another model.
        """
        received = (tuple(factors.static.shape[1:]), factors.dynamic.shape[-1])
        wanted = ((self.config.static_dim,), self.config.dynamic_dim)
        if received != wanted:
            raise InputError(f"factors of widths {received}; the model's are {wanted}")
        mean = self._frames(factors.static, factors.dynamic)
        if progress is not None:
            progress(1, 1)
        if self.config.output == "sigmoid":
            return mean
        return self.from_model_space(mean, max_frames_per_pass=self.config.max_frames_per_pass)

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """The training loss ``L_VAE + λ₁·L_SCC + λ₂·L_DFP + λ₃·L_MI`` (Eq. 9).

        It is not a mean over independent sequences: the negative of each triplet (SCC) and the entropies (MI) are
        taken from the other sequences of the (micro-)batch.

        Missing steps and entries have no likelihood, only measured ones do. The posterior reads the mean of the
        data there, and the prior runs on to the end of the sequence.

        Raises:
            InputError: The batch lacks the target that is to be predicted.
        """
        c = self.config
        y = self.to_model_space(sequences)
        features = self._features(y)
        q = self._posterior(features, sequences.mask, generator)
        static, dynamic = q.static.draw(generator), q.dynamic.draw(generator)
        goal = sequences.x if c.output == "sigmoid" else y
        terms = self.negative_elbo(goal, q, static, dynamic, weight=entry_weights(sequences, y))
        weights: dict[str, float | Tensor] = {
            "reconstruction": 1.0,
            "kl_static": self._moving("kl_static_weight"),
            "kl_dynamic": self._moving("kl_dynamic_weight"),
        }
        if c.consistency_weight:
            terms["consistency"] = self._consistency(
                features, static, sequences.keys, generator, mask=sequences.mask
            )
            weights["consistency"] = c.consistency_weight
        if self.predictor is not None and c.prediction is not None:
            terms["prediction"] = prediction_loss(c.prediction, self.predictor(dynamic), sequences)
            weights["prediction"] = c.prediction_weight
        if self.adversary is not None and c.prediction is not None:
            guess = self.adversary(reverse_gradient(static))[:, None].expand(-1, dynamic.shape[1], -1)
            terms["reversal"] = prediction_loss(c.prediction, guess, sequences)
            weights["reversal"] = self._moving("reversal_weight")
        if self.predictability is not None:
            told = self.predictability(static, dynamic, sequences.mask)
            terms |= {"reading": told.reading, "predictability": told.share}
            weights |= {"reading": 1.0, "predictability": told.weight}
        if c.swap_weight:
            terms["swap"] = self._swap(q, static, dynamic, sequences.mask, generator)
            weights["swap"] = c.swap_weight
        if c.information_weight:
            terms["information"] = self._information(q, static, dynamic)
            weights["information"] = c.information_weight
        means = {name: value.mean() for name, value in terms.items()}
        total = torch.stack([weights[name] * value for name, value in means.items()]).sum()
        logged = {name: value.detach() for name, value in means.items()}
        if c.information_weight:
            ceiling = information_ceiling(sequences=self.sequences or len(static), batch=len(static))
            logged["information_share"] = logged["information"] / max(dynamic.shape[1] * ceiling, 1e-12)
            if self.training:
                self._saturation.look(logged["information_share"])
        return LossOutput(total, logged)

    def _moving(self, name: str) -> float | Tensor:
        """A weight at the present step; in evaluation mode that of the configuration, so that losses compare."""
        value: float = getattr(self.config, name)
        return self.get_buffer(name) if self.training else value

    def negative_elbo(
        self,
        frames: Tensor,
        q: FactorPosterior,
        static: Tensor,
        dynamic: Tensor,
        *,
        weight: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The terms of ``L_VAE`` (Eq. 5) at one draw from the posterior, each ``(B,)`` in nats.

        ``−Σ_τ ln p(x^τ | s, d^τ)``, ``KL(q(s) ‖ N(0, I))`` and ``Σ_τ KL(q(d^τ) ‖ p(d^τ | d^{<τ}))``.

        Args:
            frames: Frames that the decoder must give, ``(B, V, *latent)``.
            q: Posterior of both factors.
            static: Static factor drawn from the posterior, ``(B, S)``.
            dynamic: Dynamic factor drawn from the posterior, ``(B, V, D)``.
            weight: 1 where an entry was measured, else 0, broadcasting over ``frames``; all were when omitted.
        """
        std = self.config.frame_std
        measured = torch.ones_like(frames[:1]) if weight is None else weight.expand_as(frames)
        error = ((frames - self._frames(static, dynamic)).float() * measured).flatten(1)
        constant = measured.flatten(1).sum(1) * (math.log(std) + 0.5 * math.log(2 * math.pi))
        return {
            "reconstruction": error.square().sum(1) / (2 * std**2) + constant,
            "kl_static": q.static.kl(),
            "kl_dynamic": q.dynamic.kl(self.dynamics(dynamic)).sum(1),
        }

    def _consistency(
        self,
        features: Tensor,
        static: Tensor,
        keys: Sequence[str],
        rows: GeneratorStack,
        *,
        mask: Tensor | None = None,
    ) -> Tensor:
        """The triplet loss ``max(‖s − s⁺‖ − ‖s − s⁻‖ + m, 0)`` (Eq. 6), ``(B,)``.

        ``s⁺`` is that of the clip's frames in another order, ``s⁻`` that of another clip. Frames are encoded alone,
        so that shuffled features are those of shuffled frames. The negative is drawn among the clips with another
        key; a clip without any (a batch of one) has no triplet, and its term is 0.
        """
        size, steps = features.shape[:2]
        order = rand((size, steps), generator=rows, device=features.device).argsort(dim=1)
        shuffled = features.gather(1, order[..., None].expand_as(features))
        mask = None if mask is None else mask.gather(1, order)
        positive = self._posterior(shuffled, mask, rows).static.draw(rows)
        names = keys or [str(i) for i in range(size)]
        number = torch.tensor([names.index(name) for name in names], device=features.device)
        other = number[:, None] != number[None]
        # The uniform number picks among those that qualify, by their rank: one draw a row, any batch.
        drawn = rand((size,), generator=rows, device=features.device) * other.sum(1)
        rank = other.cumsum(1) - 1
        negative = static[((rank == drawn.long()[:, None]) & other).int().argmax(1)]
        near, far = torch.linalg.vector_norm(torch.stack([static - positive, static - negative]), dim=2)
        return functional.relu(near - far + self.config.margin) * other.any(1)

    def _swap(
        self, q: FactorPosterior, static: Tensor, dynamic: Tensor, mask: Tensor | None, rows: GeneratorStack
    ) -> Tensor:
        """``KL(q(s|x_i) ‖ q(s|x̃)) + Σ_τ KL(q(d^τ|x_j) ‖ q(d^τ|x̃))``, ``x̃ = μ(s_i, d_j)``, j the next of the batch, ``(B,)``.

        Up to a constant, the negative of a lower bound on what x̃ tells of both factors where they are drawn from
        different clips (Chen et al. 2016, Eq. 5; Jha et al. 2018 ask the same of one factor). A look that ``d`` has
        copied, or an action that ``s`` has, comes out of a swap in the wrong place. The encoder is fixed here, lest it learn
        to read a look that is not to be seen; the posteriors on the left are goals, which no gradient reaches.
        """
        frames = self._frames(static, dynamic.roll(-1, 0))
        if self.config.output == "sigmoid":
            frames = self.normalizer(frames)
        mask = None if mask is None else mask.roll(-1, 0)
        if mask is not None:
            frames = frames * mask.view(*mask.shape, *(1,) * (frames.ndim - 2))
        with fixed(self.frame_encoder, self.posterior):
            read = self._posterior(self._features(frames), mask, rows)
        goals = (q.static, q.dynamic[torch.arange(1, len(static) + 1) % len(static)])
        lost_static, lost_dynamic = (
            DiagonalGaussian(goal.mean.detach(), goal.log_std.detach()).kl(found)
            for goal, found in zip(goals, (read.static, read.dynamic), strict=True)
        )
        return lost_static + (lost_dynamic if mask is None else lost_dynamic * mask).sum(1)

    def _information(self, q: FactorPosterior, static: Tensor, dynamic: Tensor) -> Tensor:
        """``Σ_τ H(s) + H(d^τ) − H(s, d^τ)`` (Eq. 7), a scalar, with N the number of training sequences.

        Before training has begun that number is not known: N is then the size of the batch.
        """
        if not self.config.information_into_dynamic:
            q = FactorPosterior(
                q.static, DiagonalGaussian(q.dynamic.mean.detach(), q.dynamic.log_std.detach())
            )
            dynamic = dynamic.detach()
        per_step = weighted_mutual_information(
            pairwise_log_density(q.static, static),
            pairwise_log_density(q.dynamic, dynamic),
            sequences=self.sequences or len(static),
        )
        return per_step.sum()
