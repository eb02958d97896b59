"""The settings of DiViD."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqdis.core.base_config import DEEPEST, LONGEST_CLIP, WIDEST
from seqdis.core.config import Config
from seqdis.core.diffusion.samplers.ddpm import DDPMConfig
from seqdis.core.diffusion.samplers.sampler_config import AnySamplerConfig
from seqdis.core.factor_settings import DynamicNoise, PredictabilityWeight, StaticNoise
from seqdis.core.nn.backbones import BackboneConfig

__all__ = ["DiViDConfig"]


class DiViDConfig(Config):
    """DiViD's hyper-parameters (Sec. 4.1) and its four biases, each of which can be switched off.

    ``static_frames="random"``, ``static_noise``, ``dynamic_noise`` and ``predictability_weight`` are not in the paper.
    Orthogonal tokens can be wholly redundant: the noise takes out of d what s tells as well, the last out of s what d tells.
    """

    static_dim: int = Field(256, ge=1, le=WIDEST, description="width of s")
    dynamic_dim: int = Field(256, ge=1, le=WIDEST, description="width of d; the paper gives no number")
    feature_dim: int = Field(ge=1, le=WIDEST, description="width of a frame's feature")
    hidden_dim: int = Field(1024, ge=1, le=WIDEST, description="width of the static encoder's MLP")
    attention_dim: int = Field(
        256, ge=2, le=WIDEST, description="width of the dynamic encoder's LSTM and self-attention"
    )
    attention_heads: int = Field(
        8, ge=1, le=DEEPEST, description="heads of the dynamic encoder's self-attention"
    )
    token_dim: int = Field(
        256, ge=1, le=WIDEST, description="width of the tokens W_s·s and W_d·d; the paper gives no number"
    )
    encoder: BackboneConfig
    denoiser: BackboneConfig
    timesteps: int = Field(1000, ge=2, le=1_000_000, description="T of the chain")
    beta_schedule: Literal["linear", "cosine"] = Field("linear", description="the chain's schedule")
    prediction: Literal["epsilon", "velocity"] = Field("epsilon", description="quantity the network predicts")
    loss_on: Literal["epsilon", "velocity"] = Field(
        "epsilon",
        description="quantity whose squared error is the loss, whatever the network predicts. ε (Eq. 3) weights the "
        "error of x_0 by the signal-to-noise ratio; v weights it by that ratio + 1, so that the noisiest steps, at "
        "which appearance is decided, count as well",
    )
    shared_noise: bool = Field(True, description="one ε for all frames of a sequence (Eq. 1)")
    cross_attention: bool = Field(
        True, description="the denoiser attends to the tokens; False: AdaGN instead"
    )
    first_frame_residual: bool = Field(True, description="the dynamic encoder reads f^τ − f^1; False: f^τ")
    static_frames: Literal["first", "random"] = Field(
        "first",
        description="frame that the static encoder reads s from: the first, or a random one in training and the mean over "
        "all of them after it",
    )
    orthogonality: float = Field(
        0.1, ge=0, description="λ of Eq. 5, 0 switches it off; the paper gives no number"
    )
    static_noise: StaticNoise = 0.0
    dynamic_noise: DynamicNoise = 0.0
    predictability_weight: PredictabilityWeight = 0.0
    frames_per_clip: int | None = Field(
        None, ge=1, le=LONGEST_CLIP, description="random frames of a clip that the denoiser trains on"
    )
    max_frames_per_pass: int = Field(
        1024,
        ge=1,
        le=LONGEST_CLIP,
        description="memory bound at inference; changes rounding alone, and none of encode on a CPU",
    )
    sampler: AnySamplerConfig = DDPMConfig(levels="chain", steps=1000)
