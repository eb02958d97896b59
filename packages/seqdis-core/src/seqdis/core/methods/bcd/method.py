"""BCD: bitrate-controlled diffusion, which disentangles motion from content by the rate of its codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec
from seqdis.core.config import Config
from seqdis.core.data.normalize import Normalizer
from seqdis.core.diffusion.denoiser import Denoiser
from seqdis.core.diffusion.guidance import drop_conditions
from seqdis.core.diffusion.loss import denoising_loss
from seqdis.core.diffusion.noise import LogNormalNoise
from seqdis.core.diffusion.sampling import Sampling
from seqdis.core.disentangler import Disentangler, LossOutput, Progress
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.factors import Extra, Factors
from seqdis.core.methods.bcd.config import BCDConfig
from seqdis.core.methods.bcd.dit import DiT
from seqdis.core.methods.bcd.t5 import T5SequenceEncoder
from seqdis.core.methods.bcd.windows import HalfOverlap
from seqdis.core.quantize.bitrate import Bitrate
from seqdis.core.quantize.codebook_use import share_used
from seqdis.core.quantize.group_vq import GroupVectorQuantizer, QuantizeOutput
from seqdis.core.random import GeneratorLike, GeneratorStack, rand, randn, stack_generators
from seqdis.core.schedules import ExponentialDecay, ValueSchedule
from seqdis.core.sequences import Sequences, check_whole

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["BCD", "BCDConfig"]


class BCD(Disentangler):
    """``x^{1:V} -> (content, codes^{1:V})`` by T5 and group VQ; a DiT denoises the clip given both.

    ``L = L_diffusion + 0.04·(R − R_target)²`` (Eq. 6): codes of few bits leave the motion no room for what
    the content says already. Content and motion of a training clip come from different halves of it.

    The static factor is the K content tokens, flattened; the dynamic one the quantised motion, whose
    ``codes (B, V, G)`` ride along as an extra. Reconstructions and swaps start from fresh noise.

    Args:
        frame_shape: Of a natural frame.
        encoder: Flattened coded frames to content and motion tokens.
        dit: ``F(x (B, V, *latent), c_noise (B,), z (B, K·width + V·G·dim))``.
        config: Sizes and options.
        codec: In front of the model; identity when omitted.
        normalizer: Of coded frames, to zero mean and std 0.5.
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
        """Build it for the shape of coded frames.

        Raises:
            InputError: They are not square pictures ``(C, H, H)`` that the patch divides.
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
        """Take other windows, or another number of frames for the content."""
        self.config, self.dit.window = config, config.window

    def compile_networks(self) -> None:
        """``torch.compile`` the blocks of the DiT in place."""
        self.dit.compile_blocks()

    def parameter_groups(self) -> Mapping[str, Sequence[nn.Parameter]]:
        """``encoder``, ``quantizer``, ``decoder`` and its ``temporal`` blocks."""
        temporal = list(self.dit.temporal_blocks.parameters())
        known = {id(p) for p in temporal}
        return {
            "encoder": [*self.encoder.parameters(), *self.to_motion.parameters()],
            "quantizer": list(self.quantizer.parameters()),
            "decoder": [p for p in self.dit.parameters() if id(p) not in known],
            "temporal": temporal,
        }

    def schedules(self) -> Mapping[str, ValueSchedule]:
        """The temperature of the Gumbel-softmax (Tab. A7)."""
        c = self.config
        return {"temperature": ExponentialDecay(c.temperature, c.temperature_end, c.temperature_decay)}

    def set_scheduled(self, name: str, value: float) -> None:
        """Take the temperature of now."""
        self.quantizer.set_temperature(value)

    def enter_stage(self, name: str) -> None:
        """``"spatial"`` leaves the temporal blocks out, ``"temporal"`` brings them in (Sec. 4.2)."""
        if name not in ("spatial", "temporal"):
            raise unknown_name("stage of bcd", name, ["spatial", "temporal"])
        self.dit.use_temporal(name == "temporal")

    def codebook(self) -> Tensor:
        """The quantiser's entries, ``(G, J, dim)``."""
        return self.quantizer.codebook.detach()

    def _prepare(self, x: Tensor, mask: Tensor | None, observed: Tensor | None) -> Tensor:
        check_whole("bcd", mask=mask, observed=observed)
        return self.to_model_space(x)

    def _motion(self, tokens: Tensor, rows: GeneratorStack | None) -> QuantizeOutput:
        out: QuantizeOutput = self.quantizer(self.to_motion(tokens), generator=rows)
        return out

    def encode(
        self,
        x: Tensor,
        *,
        mask: Tensor | None = None,
        observed: Tensor | None = None,
        generator: GeneratorLike | None = None,
    ) -> Factors:
        """Sequences ``(B, V, *frame)`` to ``static (B, K·width)`` and ``dynamic (B, V, G·dim)``.

        Deterministic in evaluation mode: each group's nearest entry (Sec. 3.2). In training mode codes are drawn.
        A clip longer than ``window`` passes in windows that overlap by half: a frame's motion is that of the
        window which it lies furthest inside. The content comes from ``content_frames`` frames of the whole clip,
        evenly spread, at most a window of them.
        """
        y = self._prepare(self.check_input(x), mask, observed).flatten(2)
        rows = stack_generators(generator, len(y)) if self.training else None
        c, steps = self.config, y.shape[1]
        if c.window is None or steps <= c.window:
            encoded = self.encoder(y)
            content, tokens = encoded.content, encoded.motion
        else:
            windows = HalfOverlap(steps, c.window)
            content, tokens = None, windows.choose(self.encoder(windows.cut(y)).motion)
        count = min(n for n in (steps, c.window, c.content_frames) if n is not None)
        if content is None or count < steps:
            chosen = torch.linspace(0, steps - 1, count).round().long()
            content = self.encoder(y[:, chosen.to(y.device)]).content
        motion = self._motion(tokens, rows)
        return Factors(content.flatten(1), motion.z, {"codes": Extra(motion.codes, "dynamic")})

    def condition(self, factors: Factors) -> Tensor:
        """``z``: the content tokens and each step's motion, flattened, ``(B, K·width + V·G·dim)``.

        Raises:
            InputError: The factors are of another model's widths.
        """
        came = (tuple(factors.static.shape[1:]), factors.dynamic.shape[-1])
        whole, each = self.dit.condition
        if came != ((whole,), each):
            raise InputError(f"factors of widths {came}; the model's are {((whole,), each)}")
        return factors.flatten().to(self.device)

    def loss(self, batch: Sequences, *, generator: GeneratorStack) -> LossOutput:
        """``L_diffusion + w·(R − R_target)²`` (Eq. 6-8), cross-driven: the second half from the first's content.

        The rate is that of the whole (micro-)batch, both halves, over all processes in training: unlike the first
        term, its loss is no mean over sequences.

        Raises:
            InputError: A clip has one frame, or misses some.
        """
        c = self.config
        y = self._prepare(batch.x, batch.mask, batch.observed)
        if c.cross_driven:
            half = y.shape[1] // 2
            if half < 1:
                raise InputError("bcd: cross-driven training needs clips of two frames or more; got 1")
            source, y = y[:, :half], y[:, -half:]
            encoded = self.encoder(torch.cat([source, y]).flatten(2))
            content = encoded.content[: len(y)]
            tokens = torch.cat(encoded.motion.split(len(y)), dim=1)
        else:
            encoded = self.encoder(y.flatten(2))
            content, tokens = encoded.content, encoded.motion
        motion = self._motion(tokens, generator)
        z = torch.cat([content.flatten(1), motion.z[:, -y.shape[1] :].flatten(1)], dim=1)
        if c.condition_dropout > 0:
            dropped = rand((len(z),), generator=generator, device=z.device) < c.condition_dropout
            z = drop_conditions(z, dropped)
        sigma = self.noise.draw((len(y),), generator=generator, device=y.device)
        noise = randn(y.shape, generator=generator, device=y.device)
        diffusion = denoising_loss(self.denoiser, y, z, sigma=sigma, noise=noise)
        rate = self.bitrate(motion.entropy_bits)
        terms = {
            "diffusion": diffusion.detach(),
            "bits_per_frame": rate.bits_per_frame.detach(),
            "codes_used": share_used(motion.codes, c.codes, synchronize=self.training),
        }
        if rate.kbps is not None:
            terms["kbps"] = rate.kbps
        if rate.loss is None:
            return LossOutput(diffusion, terms)
        terms["bitrate"] = rate.loss.detach()
        return LossOutput(diffusion + c.bitrate_weight * rate.loss, terms)

    @torch.no_grad()
    def decode(
        self,
        factors: Factors,
        *,
        noise: Tensor | None = None,
        generator: GeneratorLike | Sequence[torch.Generator] | None = None,
        progress: Progress | None = None,
    ) -> Tensor:
        """Sample ``x^{1:V}`` given the factors, with guidance: ``(B, V, *frame)`` in natural units.

        At each noise level, clips longer than ``window`` are denoised in windows that overlap by half, and
        blended.

        Args:
            factors: From :meth:`encode`, mixed, or drawn.
            noise: ``(B, V, *latent)`` with std σ_max; drawn when omitted.
            generator: For noise and churn, one or one a sample.
            progress: Called after each noise level.
        """
        z = self.condition(factors)
        shape = (len(z), factors.steps, *self.codec.latent_shape(self.frame_shape))
        clips = max(1, self.config.max_frames_per_pass // factors.steps)
        denoise = self.sampling.denoise(lambda z: self.denoiser.bind(z, max_frames_per_pass=clips), z)
        result = self.sampling.sample(
            denoise, shape, noise=noise, generator=generator, progress=progress, device=self.device
        )
        return self.from_model_space(result.x, max_frames_per_pass=self.config.max_frames_per_pass)
