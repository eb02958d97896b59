"""The settings of BCD."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from seqdis.core.base_config import DEEPEST, LONGEST, LONGEST_CLIP, WIDEST
from seqdis.core.config import Config
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.diffusion.samplers.sampler_config import AnySamplerConfig
from seqdis.core.methods.bcd.dit_config import DiTConfig

__all__ = ["BCDConfig", "SequenceEncoderConfig"]


class SequenceEncoderConfig(Config):
    """Size of the T5 encoder, in the terms of BCD's Tab. A7 and A8."""

    width: int = Field(ge=1, le=WIDEST, description="transformer hidden size; a multiple of the heads")
    feedforward: int = Field(ge=1, le=WIDEST, description="transformer feed-forward dimension")
    depth: int = Field(12, ge=1, le=DEEPEST, description="transformer layers")
    heads: int = Field(ge=1, le=DEEPEST, description="attention heads")
    queries: int = Field(4, ge=1, le=DEEPEST, description="content tokens K; the paper gives no number")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of the {self.heads} heads")
        return self


class BCDConfig(Config):
    """BCD's hyper-parameters (Tab. A7 and A8) and its ablations."""

    encoder: SequenceEncoderConfig
    decoder: DiTConfig
    groups: int = Field(ge=1, le=WIDEST, description="codebooks, G")
    codes: int = Field(ge=1, le=32768, description="entries of each codebook, J")
    code_dim: int = Field(ge=1, le=WIDEST, description="channels of an entry")
    distance_scale: float = Field(1.0, gt=0, description="α of Eq. 1; the paper gives no number")
    relaxed: bool = Field(
        False,
        description="whether the decoder is trained on the mixture of entries by probability rather than on a drawn entry",
    )
    target_bits: float | None = Field(
        gt=0, description="target rate R_target in bits a frame; null: no bitrate loss (Tab. A6)"
    )
    bitrate_weight: float = Field(0.04, ge=0, description="weight of the bitrate loss (Eq. 6)")
    ema_decay: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="decay of the moving average over batches that the rate is measured on, about 1/(1 − ema_decay) "
        "of them; 0: on each batch alone, which must then be large, for the entropy of a few clips falls short",
    )
    reset_dead_codes: int = Field(
        0,
        ge=0,
        le=LONGEST,
        description="number of batches after which an entry that no frame used is moved onto a frame's vector; "
        "0: never, as in the paper",
    )
    fps: float | None = Field(None, gt=0, description="frames a second of the data, for rates in kbps")
    temperature: float = Field(1.5, gt=0, description="temperature of the Gumbel-softmax at the first step")
    temperature_end: float = Field(0.1, gt=0, description="lowest temperature of the Gumbel-softmax")
    temperature_decay: float = Field(
        0.9999972, gt=0, le=1, description="factor by which each step multiplies the temperature"
    )
    cross_driven: bool = Field(
        True, description="content from the first half of a clip, motion from the second"
    )
    predictability_weight: float = Field(
        0.0,
        ge=0,
        description="weight of the share of the motion's variance that a network reads from the content, which is driven "
        "out of the content; 0: without, as in the paper",
    )
    window: int | None = Field(
        None,
        ge=2,
        le=LONGEST_CLIP,
        description="frames that are encoded and denoised together, half of a training clip where it is "
        "cross-driven; longer clips pass in windows that overlap by half; null: all",
    )
    content_frames: int | None = Field(
        None,
        ge=1,
        le=LONGEST_CLIP,
        description="number of evenly spread frames that the content is encoded from; null: all (Tab. A5)",
    )
    p_mean: float = Field(-1.2, description="mean of ln σ in training")
    p_std: float = Field(1.2, gt=0, description="standard deviation of ln σ in training")
    condition_dropout: float = Field(
        0.1, ge=0, lt=1, description="share of clips trained without their factors, for guidance"
    )
    max_frames_per_pass: int = Field(
        1024,
        ge=1,
        le=LONGEST_CLIP,
        description="memory bound at inference; changes rounding alone, and none of encode on a CPU",
    )
    sampler: AnySamplerConfig = EDMConfig(guidance=1.5)

    @model_validator(mode="after")
    def _anneals(self) -> Self:
        if self.temperature_end > self.temperature:
            raise ValueError(
                f"temperature_end {self.temperature_end} is above temperature {self.temperature}"
            )
        return self
