"""BCD: bitrate-controlled diffusion, which disentangles motion from content by the rate of its codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec
from seqdis.core.config import Config
from seqdis.core.data.normalize import Normalizer
from seqdis.core.data.steps import entry_weights, existing_first, take_steps
from seqdis.core.diffusion.denoiser import DenoiseFunction, Denoiser
from seqdis.core.diffusion.guidance import drop_conditions
from seqdis.core.diffusion.loss import denoising_loss
from seqdis.core.diffusion.noise import LogNormalNoise
from seqdis.core.diffusion.samplers.sampling import Sampling
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors
from seqdis.core.methods.bcd.config import BCDConfig
from seqdis.core.methods.bcd.dit import DiT, with_padding
from seqdis.core.methods.bcd.hooks import BCDHooks
from seqdis.core.methods.bcd.t5 import T5SequenceEncoder
from seqdis.core.methods.bcd.windows import HalfOverlap
from seqdis.core.nn.predictability import Predictability
from seqdis.core.progress import Progress
from seqdis.core.quantize.bitrate import Bitrate
from seqdis.core.quantize.codebook_use import share_used
from seqdis.core.quantize.group_vq import GroupVectorQuantizer, QuantizeOutput
from seqdis.core.random import GeneratorLike, GeneratorStack, rand, randn, stack_generators
from seqdis.core.sequences import Sequences

if TYPE_CHECKING:
    from seqdis.core.diffusion.samplers.base import Sampler
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
    from seqdis.core.modality import Modality

__all__ = ["BCD", "BCDConfig"]


class BCD(Disentangler):
    """``x^{1:V} -> (content, codes^{1:V})`` by T5 and group VQ; a DiT denoises the clip given both.

    ``L = L_diffusion + 0.04·(R − R_target)²`` (Eq. 6): codes of few bits leave the motion no room to repeat what
    the content holds already. Content and motion of a training clip come from different halves of it.

    The static factor is the K content tokens, flattened; the dynamic one is the quantised motion, whose
    ``codes (B, V, G)`` are an extra on the dynamic side. Reconstructions and swaps start from fresh noise.

    Args:
        frame_shape: Shape of a natural frame, ``(C, H, W)``.
        encoder: Network from flattened coded frames to content and motion tokens.
        dit: The denoiser's network ``F(x (B, V, *latent), c_noise (B,), z (B, K·width + V·G·dim))``.
        config: Sizes and options.
        codec: Frame codec in front of the model; identity when omitted.
        normalizer: Brings coded frames to zero mean and std 0.5.
    """

    config_class: ClassVar[type[Config]] = BCDConfig
    adjustable: ClassVar[tuple[str, ...]] = ("content_frames", "window")
    sampling: Sampling
    bitrate: Bitrate

    def __init__(
        self,
        *,
        frame_shape: tuple[int, ...],
        encoder: T5SequenceEncoder,
        dit: DiT,
        config: BCDConfig,
        codec: FrameCodec | None = None,
        normalizer: Normalizer | None = None,
    ) -> None:
        super().__init__(frame_shape=frame_shape, codec=codec, normalizer=normalizer)
        c = self.config = config
        self.encoder = encoder
        self.to_motion = nn.Linear(c.encoder.width, c.groups * c.code_dim)
        self.quantizer = GroupVectorQuantizer(
            groups=c.groups,
            codes=c.codes,
            dim=c.code_dim,
            distance_scale=c.distance_scale,
            temperature=c.temperature,
            relaxed=c.relaxed,
            ema_decay=c.ema_decay,
            reset_dead_codes=c.reset_dead_codes,
        )
        content = c.encoder.queries * c.encoder.width
        self.predictability = (
            Predictability(content, c.groups * c.code_dim, weight=c.predictability_weight)
            if c.predictability_weight
            else None
        )
        self.denoiser = Denoiser(dit)
        self.bitrate = Bitrate(target=c.target_bits, fps=c.fps)
        self.noise = LogNormalNoise(c.p_mean, c.p_std)
        self.sampling = Sampling(c.sampler, guidable=c.condition_dropout > 0)

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
            InputError: The coded frames are not square pictures ``(C, H, H)`` whose side the patch size divides.
        """
        latent = codec.latent_shape(frame_shape)
        if len(latent) != 3 or latent[1] != latent[2]:
            raise InputError(f"bcd needs square frames (C, H, H) with its DiT; got {latent}")
        e = config.encoder
        return cls(
            frame_shape=frame_shape,
            encoder=T5SequenceEncoder(torch.Size(latent).numel(), **e.model_dump()),
            dit=DiT(
                latent[0],
                size=latent[1],
                motion=config.groups * config.code_dim,
                content=(e.queries, e.width),
                window=config.window,
                **config.decoder.model_dump(),
            ),
            config=config,
            codec=codec,
            normalizer=normalizer,
        )

    @property
    def dit(self) -> DiT:
        """The denoiser's network."""
        network = self.denoiser.network
        if not isinstance(network, DiT):
            raise TypeError(f"the denoiser's network is a {type(network).__name__}, not a DiT")
        return network

    def take_settings(self, config: BCDConfig) -> None:
        """Use another window length, or another number of frames for the content, from now on."""
        self.config, self.dit.window = config, config.window

    def training_hooks(self) -> BCDHooks:
        """The hooks name the groups, move the temperature, and bring the temporal blocks in."""
        return BCDHooks(self)

    def codebook(self) -> Tensor:
        """The quantiser's entries, ``(G, J, dim)``."""
        return self.quantizer.codebook.detach()

    def _motion(self, tokens: Tensor, mask: Tensor | None, rows: GeneratorStack | None) -> QuantizeOutput:
        out: QuantizeOutput = self.quantizer(self.to_motion(tokens), mask=mask, generator=rows)
        return out

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        """``static (B, K·width)`` and ``dynamic (B, V, G·dim)``.

        Deterministic in evaluation mode: each group's nearest entry (Sec. 3.2). In training mode codes are drawn.
        A clip longer than ``window`` passes in windows that overlap by half: a frame's motion is that of the
        window in which it lies furthest from the edges. The content comes from ``content_frames`` frames of the
        whole clip, evenly spread, at most a window of them.
        """
        y, mask = self.to_model_space(sequences).flatten(2), sequences.mask
        rows = stack_generators(generator, len(y)) if self.training else None
        if mask is None:
            content, tokens = self._tokens(y, None)
        else:
            order, back = existing_first(mask)
            content, tokens = self._tokens(take_steps(y, order), take_steps(mask, order))
            tokens = take_steps(tokens, back)
        motion = self._motion(tokens, mask, rows)
        return Factors(content.flatten(1), motion.z, {"codes": Extra(motion.codes, "dynamic")})

    def _tokens(self, y: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Content tokens ``(B, K, width)`` and motion tokens ``(B, V, width)`` of flattened frames, padding last."""
        c, steps = self.config, y.shape[1]
        if c.window is None or steps <= c.window:
            encoded = self.encoder(y, mask)
            content, tokens = encoded.content, encoded.motion
        else:
            windows = HalfOverlap(steps, c.window)
            parts = self.encoder(windows.cut(y), None if mask is None else windows.cut(mask)).motion
            content, tokens = None, windows.choose(parts)
        count = min(n for n in (steps, c.window, c.content_frames) if n is not None)
        if content is None or count < steps:
            lengths = y.new_full((len(y),), steps) if mask is None else mask.sum(1).to(y)
            spread = torch.linspace(0, 1, count, device=y.device, dtype=torch.float64)
            chosen = (spread * (lengths.double()[:, None] - 1).clamp(min=0)).round().long()
            content = self.encoder(take_steps(y, chosen)).content
        return content, tokens

    def condition(self, factors: Factors) -> Tensor:
        """``z``: the content tokens and each step's motion, flattened, ``(B, K·width + V·G·dim)``.

        Raises:
            InputError: The factors have the widths of another model.
        """
        received = (tuple(factors.static.shape[1:]), factors.dynamic.shape[-1])
        whole, each = self.dit.condition
        if received != ((whole,), each):
            raise InputError(f"factors of widths {received}; the model's are {((whole,), each)}")
        return factors.flatten().to(self.device)

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """``L_diffusion + w·(R − R_target)²`` (Eq. 6-8), cross-driven: the second half from the first's content.

        The rate is that of the whole (micro-)batch, both halves, over all processes in training: unlike the first
        term, the second is not a mean over sequences.

        Raises:
            InputError: A clip has one frame.
        """
        c = self.config
        y, mask, weight = self._compact(sequences)
        if c.cross_driven:
            source, y, mask, weight = _halves(y, mask, weight)
            twice = None if mask is None else mask.repeat(2, 1)
            encoded = self.encoder(torch.cat([source, y]).flatten(2), twice)
            content = encoded.content[: len(y)]
            tokens = torch.cat(encoded.motion.split(len(y)), dim=1)
            both = None if mask is None else mask.repeat(1, 2)
        else:
            encoded = self.encoder(y.flatten(2), mask)
            content, tokens, both = encoded.content, encoded.motion, mask
        motion = self._motion(tokens, both, generator)
        z = torch.cat([content.flatten(1), motion.z[:, -y.shape[1] :].flatten(1)], dim=1)
        if c.condition_dropout > 0:
            dropped = rand((len(z),), generator=generator, device=z.device) < c.condition_dropout
            z = drop_conditions(z, dropped)
        sigma = self.noise.draw((len(y),), generator=generator, device=y.device)
        noise = randn(y.shape, generator=generator, device=y.device)
        diffusion = denoising_loss(
            self.denoiser, y, with_padding(z, mask), sigma=sigma, noise=noise, weight=weight
        )
        rate = self.bitrate(motion.entropy_bits)
        terms = {
            "diffusion": diffusion.detach(),
            "bits_per_frame": rate.bits_per_frame.detach(),
            "codes_used": share_used(motion.codes, c.codes, synchronize=self.training),
        }
        if rate.kbps is not None:
            terms["kbps"] = rate.kbps
        loss = diffusion
        if self.predictability is not None:
            shown = motion.z[:, -y.shape[1] :]
            told = self.predictability(content.flatten(1), shown, mask)
            loss = loss + told.total
            terms |= told.terms
        if rate.loss is not None:
            terms["bitrate"] = rate.loss.detach()
            loss = loss + c.bitrate_weight * rate.loss
        return LossOutput(loss, terms)

    def _compact(self, sequences: Sequences) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Model-space clips whose existing steps come first, their mask, and the weights of their entries."""
        y, mask = self.to_model_space(sequences), sequences.mask
        weight = entry_weights(sequences, y)
        if mask is None or weight is None:
            return y, mask, weight
        order, _ = existing_first(mask)
        weight = weight.expand(y.shape) if weight.shape[2:] != y.shape[2:] else weight
        return take_steps(y, order), take_steps(mask, order), take_steps(weight, order)

    def _decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None,
        sampler: Sampler | SamplerConfig | str | None,
        generator: GeneratorLike | Sequence[torch.Generator] | None,
        progress: Progress | None,
    ) -> Tensor:
        """Sample ``x^{1:V}`` given the factors, with guidance.

        At each noise level, clips longer than ``window`` are denoised in windows that overlap by half, and blended.
        """
        z = self.condition(factors)
        shape = (len(z), factors.steps, *self.codec.latent_shape(self.frame_shape))
        clips = max(1, self.config.max_frames_per_pass // factors.steps)

        def bind(z: Tensor) -> DenoiseFunction:
            return self.denoiser.bind(with_padding(z, factors.mask), max_frames_per_pass=clips)

        result = self.sampling.sample(
            self.sampling.denoise(bind, z),
            shape,
            noise=noise,
            sampler=sampler,
            generator=generator,
            progress=progress,
            device=self.device,
        )
        return self.from_model_space(result.x, max_frames_per_pass=self.config.max_frames_per_pass)


def _halves(
    y: Tensor, mask: Tensor | None, weight: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
    """First and second half of every clip's existing frames, the mask of either, and the second one's weights.

    Raises:
        InputError: The clips have one frame.
    """
    half = y.shape[1] // 2
    if half < 1:
        raise InputError("bcd: cross-driven training needs clips of two frames or more; got 1")
    if mask is None:
        return y[:, :half], y[:, -half:], None, None if weight is None else weight[:, -half:]
    lengths = mask.sum(1, keepdim=True)
    steps = torch.arange(half, device=y.device).expand(len(y), -1)
    # A clip of one frame has no second half: nothing of it is learnt from.
    exists = steps < lengths // 2
    second = (lengths - lengths // 2 + steps).clamp(max=y.shape[1] - 1)
    shape = (*exists.shape, *(1,) * (y.ndim - 2))
    kept = exists.view(shape).to(y) if weight is None else take_steps(weight, second) * exists.view(shape)
    return y[:, :half], take_steps(y, second), exists, kept
