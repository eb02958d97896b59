"""VDSM: identity, action and poses by a state-space model with a mixture of decoders (Vowels et al. 2021)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec, IdentityCodec
from seqdis.core.config import Config
from seqdis.core.data.identities import identity_frames
from seqdis.core.data.normalize import Normalizer
from seqdis.core.data.steps import zero_unobserved
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.factors import Extra, Factors
from seqdis.core.methods.vdsm.anti_aliased import AntiAliasedEncoder
from seqdis.core.methods.vdsm.config import VDSMConfig
from seqdis.core.methods.vdsm.gaussian_layer import GaussianLayer
from seqdis.core.methods.vdsm.hooks import MOVING_VALUES, VDSMHooks
from seqdis.core.methods.vdsm.mixture_decoder import MixtureDecoder
from seqdis.core.methods.vdsm.pose_inference import MeanPosterior, PoseInference
from seqdis.core.methods.vdsm.state_space import GatedTransition, roll_out
from seqdis.core.modality import Modality
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.priors.factorised import FactorisedPrior
from seqdis.core.progress import Progress
from seqdis.core.random import GeneratorLike, GeneratorStack, randn, stack_generators
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.diffusion.samplers.base import Sampler
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig

__all__ = ["VDSM", "VDSMConfig"]

_ACTION = "action"


class VDSM(Disentangler):
    """``s`` who, ``d`` what it does, ``z^{1:V}`` its poses; ``x^τ ~ p(x^τ | s, z^τ)``, ``z^τ ~ p(z^τ | z^{τ−1}, d)``.

    ``static`` is ``s (B, N)``, ``dynamic`` is ``z (B, V, D)``, and ``d (B, A)`` is the extra ``"action"`` on
    the dynamic side. Frames are decoded by N experts whose weights are blended by ``softmax(s/τ_s)``.

    Training has two stages (Sec. 3.2). In ``"frames"`` poses are independent given a frame, and there is no
    action. ``"sequences"`` adds the recurrent inference and the transition.

    Args:
        frame_shape: Shape of a natural frame, ``(C, H, H)``.
        encoder: Network from coded frames ``(N, *latent)`` to features.
        identity: Network from the features of a sequence ``(B, V, F)`` and a mask to ``q(s | x^{1:V})``.
        pose_head: Network from features to pose embeddings.
        frame_pose: Network from pose embeddings to ``q(z^τ | x^τ)``, for the first stage.
        inference: Network that infers the action and the poses of a sequence.
        transition: Network of the transition ``p(z^τ | z^{τ−1}, d)``.
        decoder: Network from ``(s, m, z)`` to logits of pixels or means of normalised values, ``(B, V, *latent)``.
        config: Sizes and options.
        codec: Frame codec in front of the model; identity when omitted.
        normalizer: Brings coded frames to zero mean and std 0.5.
    """

    config_class: ClassVar[type[Config]] = VDSMConfig
    temperature: Tensor
    kl_static_weight: Tensor
    kl_action_weight: Tensor
    kl_pose_weight: Tensor
    sequences: Tensor

    def __init__(
        self,
        *,
        frame_shape: tuple[int, ...],
        encoder: nn.Module,
        identity: nn.Module,
        pose_head: nn.Module,
        frame_pose: nn.Module,
        inference: PoseInference,
        transition: nn.Module,
        decoder: nn.Module,
        config: VDSMConfig,
        codec: FrameCodec | None = None,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__(frame_shape=frame_shape, codec=codec, normalizer=normalizer)
        self.config, self._sequences = config, True
        self.encoder, self.identity, self.pose_head = encoder, identity, pose_head
        self.frame_pose, self.inference, self.transition = frame_pose, inference, transition
        self.decoder = decoder
        for name in MOVING_VALUES:
            self.register_buffer(name, torch.tensor(config.temperature if name == "temperature" else 1.0))
        # Saved with the weights: a model that was stopped in its first stage has not learnt to infer sequences.
        self.register_buffer("sequences", torch.tensor(True))
        self.register_load_state_dict_post_hook(VDSM._read_stage)  # type: ignore[no-untyped-call]

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
        """Build the model for the shape of coded frames.

        Raises:
            InputError: The coded frames are not square pictures ``(C, H, H)`` of the side that the decoder's layers
                give and the encoder's can halve, or the likelihood is ``"bernoulli"`` and they are not in [0, 1].
        """
        c, latent = config, codec.latent_shape(frame_shape)
        side = 4 * 2 ** len(c.decoder_channels)
        if len(latent) != 3 or latent[1:] != (side, side):
            raise InputError(
                f"vdsm with {len(c.decoder_channels)} decoder_channels makes frames (C, {side}, {side}); got {latent}"
            )
        if side % 2 ** len(c.encoder_channels):
            raise InputError(
                f"vdsm: {len(c.encoder_channels)} encoder_channels halve the frame as often; its side is {side}"
            )
        if c.likelihood == "bernoulli" and not (modality.uint8_storage and isinstance(codec, IdentityCodec)):
            raise InputError(
                "vdsm: likelihood 'bernoulli' needs pixels in [0, 1] and no frame codec; allowed here: gaussian, laplace"
            )
        encoder = AntiAliasedEncoder((latent[0], side, side), c.encoder_channels, groups=c.norm_groups)
        return cls(
            frame_shape=frame_shape,
            encoder=encoder,
            identity=MeanPosterior(encoder.features, embedding=c.features, dim=c.static_dim),
            pose_head=nn.Sequential(nn.Linear(encoder.features, c.features), nn.LeakyReLU(0.2)),
            frame_pose=GaussianLayer(c.features, c.pose_dim),
            inference=PoseInference(
                c.features, hidden=c.recurrent, action=c.action_dim, pose=c.pose_dim, evidence=c.evidence
            ),
            transition=GatedTransition(pose=c.pose_dim, action=c.action_dim, hidden=c.transition),
            decoder=MixtureDecoder(
                c.static_dim,
                inputs=c.static_dim + c.pose_dim,
                channels=c.decoder_channels,
                outputs=latent[0],
                groups=c.norm_groups,
            ),
            config=c,
            codec=codec,
            normalizer=normalizer,
        )

    def training_hooks(self) -> VDSMHooks:
        """The hooks name the groups, move temperature and KL weights, and enter the two stages."""
        return VDSMHooks(self)

    def set_stage(self, name: str) -> None:
        """``"frames"``: poses independent given a frame; ``"sequences"``: the full model (Sec. 3.2)."""
        self.sequences.fill_(name == "sequences")
        self._read_stage()

    def _read_stage(self, _: object = None) -> None:
        self._sequences = bool(
            self.sequences
        )  # once a stage: reading it in every loss would wait for the device

    def _features(self, sequences: Sequences) -> Tensor:
        y = self.to_model_space(sequences)
        features: Tensor = self.encoder(y.flatten(0, 1))
        return features.unflatten(0, y.shape[:2])

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        """The means of ``q(s)``, ``q(d)`` and ``q(z^τ | z^{τ−1}, d)``, each given the means before.

        A model that was stopped in its first stage has the means of ``q(z^τ | x^τ)`` and no action.
        """
        return self._infer(sequences, None)

    @torch.no_grad()
    def draw_factors(self, sequences: Any, *, generator: GeneratorLike) -> Factors:
        """One draw of ``s``, of ``d`` and of the poses given them, in the form that :meth:`encode` gives means in.

        Args:
            sequences: Anything that :func:`~seqdis.core.coercion.as_sequences` reads.
            generator: Source of the draws, one stream a sequence.
        """
        ready = self._ready(sequences)
        return self._infer(ready, stack_generators(generator, len(ready))).with_index_of(ready)

    def _infer(self, sequences: Sequences, rows: GeneratorStack | None) -> Factors:
        """The factors' means, or draws where there is a source of them."""

        def value(q: DiagonalGaussian) -> Tensor:
            return q.mean if rows is None else q.draw(rows)

        features, mask = self._features(sequences), sequences.mask
        static, embeddings = value(self.identity(features, mask)), self.pose_head(features)
        if not self._sequences:
            return Factors(static, value(self.frame_pose(embeddings)))
        action = value(self.inference.action(embeddings, mask))
        poses = self.inference.poses(embeddings, action, generator=rows).value
        return Factors(static, poses, {_ACTION: Extra(action, "dynamic")})

    def mixture(self, static: Tensor) -> Tensor:
        """Weights of the experts, ``s̃ = softmax(s/τ_s)`` (Eq. 1): ``(B, N)``."""
        return torch.softmax(static.float() / self.temperature, dim=1)

    def decoder_output(self, static: Tensor, poses: Tensor) -> Tensor:
        """Logits of pixels (Bernoulli) or means of normalised values (Gaussian, Laplace), ``(B, V, *latent)``."""
        out: Tensor = self.decoder(static, self.mixture(static), poses)
        return out.float()

    def log_likelihood(self, sequences: Sequences, output: Tensor) -> Tensor:
        """``ln p(x^τ | s, z^τ)`` of each frame's observed entries in nats, ``(B, V)``.

        Args:
            sequences: Natural frames, ``(B, V, *frame)``; the density is that of normalised values but for Bernoulli's.
            output: Logits or means of these frames, as :meth:`decoder_output` gives them, ``(B, V, *latent)``.
        """
        if self.config.likelihood == "bernoulli":
            entries = -F.binary_cross_entropy_with_logits(output, sequences.x, reduction="none")
        elif self.config.likelihood == "laplace":
            scale = self.config.observation_std / math.sqrt(2)
            entries = -(self.to_model_space(sequences) - output).abs() / scale - math.log(2 * scale)
        else:
            std = torch.full_like(output, self.config.observation_std).log()
            entries = DiagonalGaussian(output, std).log_density_of_entries(self.to_model_space(sequences))
        return zero_unobserved(entries, sequences).flatten(2).sum(2)

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """``−E ln p(x | s, z) + λ_d·KL(d) + λ_s·KL(s) + λ_z·Σ_τ KL(z^τ)`` in nats a sequence (Eq. 4; first stage Eq. 7).

        The expectation is over one draw of ``s``, ``d`` and ``z^{1:V}``. In the first stage the frames are those
        of the identity, from all of its sequences, where the batch has them. In evaluation mode all weights
        are 1: the loss is then the negative ELBO, and comparable from one step to another.
        """
        lent = None if self._sequences else identity_frames(sequences)
        sequences = sequences if lent is None else lent
        mask, features = sequences.mask, self._features(sequences)
        exists = torch.ones_like(features[..., 0]) if mask is None else mask.to(features.dtype)
        q_static, embeddings = self.identity(features, mask), self.pose_head(features)
        static = q_static.draw(generator)
        if self._sequences:
            q_action = self.inference.action(embeddings, mask)
            action = q_action.draw(generator)
            inferred = self.inference.poses(embeddings, action, generator=generator)
            poses, posterior = inferred.value, inferred.posterior
            before = poses[:, :-1]
            moved = self.transition(before, action[:, None].expand(-1, before.shape[1], -1))
            kl_pose = torch.cat([posterior[:, :1].kl(), posterior[:, 1:].kl(moved)], dim=1)
            kl_action = q_action.kl().mean()
        else:
            posterior = self.frame_pose(embeddings)
            poses, kl_pose = posterior.draw(generator), posterior.kl()
            kl_action = kl_pose.new_zeros(())
        log_p = self.log_likelihood(sequences, self.decoder_output(static, poses))
        reconstruction = -(log_p * exists).sum(1).mean()
        kls = {
            "kl_static": q_static.kl().mean(),
            "kl_action": kl_action,
            "kl_pose": (kl_pose * exists).sum(1).mean(),
        }
        loss = reconstruction
        for name, kl in kls.items():
            loss = loss + (self.get_buffer(f"{name}_weight") * kl if self.training else kl)
        elbo = -(reconstruction + sum(kls.values()))
        terms = {"reconstruction": reconstruction, "elbo": elbo, **kls}
        return LossOutput(loss, {name: value.detach() for name, value in terms.items()})

    def _decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None,
        sampler: Sampler | SamplerConfig | str | None,
        generator: GeneratorLike | Sequence[torch.Generator] | None,
        progress: Progress | None,
    ) -> Tensor:
        """The mean of ``p(x^τ | s, z^τ)``; nothing is drawn, and the action has no part in it.

        Raises:
            InputError: The factors have the widths of another model.
        """
        received = (tuple(factors.static.shape[1:]), tuple(factors.dynamic.shape[2:]))
        allowed = ((self.config.static_dim,), (self.config.pose_dim,))
        if received != allowed:
            raise InputError(f"factors of widths {received}; the model's are {allowed}")
        output = self.decoder_output(factors.static, factors.dynamic)
        if progress is not None:
            progress(1, 1)
        return output.sigmoid() if self.config.likelihood == "bernoulli" else self.from_model_space(output)

    @torch.no_grad()
    def mix_extra(
        self, factors: Factors, other: Factors, name: str, *, generator: GeneratorLike | None = None
    ) -> Factors:
        """Action transfer: ``s`` and ``z^1`` stay, ``d`` is that of ``other``, and ``z^{2:V}`` follow from the transition.

        Args:
            factors: Factors that keep the identity ``s`` and the first pose.
            other: Factors that the action is taken from.
            name: Name of the extra, ``"action"``.
            generator: Source of the drawn poses; when omitted, each is the mean of its distribution.

        Raises:
            InputError: The extra has another name, or the model was stopped in its first stage, without an action.
        """
        if name != _ACTION:
            raise unknown_name("further factor of vdsm", name, [_ACTION])
        if not self._sequences:
            raise InputError("'action': this model was trained in its stage 'frames' only, and has none yet")
        mixed = factors.replace_extra(_ACTION, other).to(self.device)
        rows = None if generator is None else stack_generators(generator, len(factors))
        first, action = mixed.dynamic[:, 0], mixed.extras[_ACTION].value
        poses = roll_out(self.transition, first, action, steps=mixed.steps, generator=rows)
        return replace(mixed, dynamic=poses)

    def decoded_part(self, factors: Factors) -> Factors:
        """``s`` and ``z^{1:V}`` without the action, which acts through the poses alone."""
        return replace(factors, extras={})

    def learned_prior(self) -> FactorisedPrior:
        """Eq. 1: ``s, d, z^1 ~ N(0, I)`` and the transition, for sequences of any length."""
        return FactorisedPrior(self._draw, steps=self.run_config.data.length if self.run_config else 1)

    def _draw(self, rows: GeneratorStack, steps: int) -> Factors:
        def normal(*shape: int) -> Tensor:
            return randn((len(rows), *shape), generator=rows, device=self.device)

        c = self.config
        static = normal(c.static_dim)
        if not self._sequences:
            return Factors(static, normal(steps, c.pose_dim))
        action = normal(c.action_dim)
        # Drawn one after the other: the first poses do not depend on how many follow.
        poses = roll_out(self.transition, normal(c.pose_dim), action, steps=steps, generator=rows)
        return Factors(static, poses, {_ACTION: Extra(action, "dynamic")})
