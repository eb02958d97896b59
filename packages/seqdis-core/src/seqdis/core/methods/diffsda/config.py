"""The settings of DiffSDA."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from seqdis.core.base_config import DEEPEST, LONGEST_CLIP, WIDEST
from seqdis.core.config import Config
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.diffusion.samplers.sampler_config import AnySamplerConfig
from seqdis.core.factor_settings import DynamicNoise, PredictabilityWeight, StaticNoise
from seqdis.core.nn.backbones import BackboneConfig

__all__ = ["DiffSDAConfig"]


class DiffSDAConfig(Config):
    """DiffSDA's hyper-parameters (Tab. 6 and 7) and its options.

    ``causal`` follows Eq. 2: ``d^τ`` sees frames up to τ. The authors' own implementation has a
    bidirectional LSTM-1 and takes ``s`` from its two end states: ``causal=False``.

    ``sequence_encoder="residual"`` (DiViD's), ``static_frames="random"``, ``static_noise``, ``dynamic_noise`` and
    ``predictability_weight`` are not in the paper. ``s`` of the LSTMs has seen every frame, and holds an action that lasts
    for the whole sequence; that of the other has seen one. Noise makes ``d`` a bottleneck: a few exact numbers are none.
    Noise on ``s`` bounds what ``s`` can hold. What ``s`` tells of ``d`` all the same is driven out.

    ``memory`` is not in the paper. ``s`` is the last state of LSTM₁. An untrained LSTM forgets half of its state at
    each step, and must learn to remember before ``s`` can describe a sequence of hundreds of steps.
    """

    static_dim: int = Field(ge=1, le=WIDEST, description="width of the static factor s")
    dynamic_dim: int = Field(ge=1, le=WIDEST, description="width of the dynamic factor d of a step")
    hidden_dim: int = Field(ge=1, le=WIDEST, description="width of both LSTMs and of a frame's feature")
    encoder: BackboneConfig
    denoiser: BackboneConfig
    sequence_encoder: Literal["lstms", "residual"] = Field(
        "lstms",
        description="network from the features of all frames to both factors; residual: s from the first frame, d "
        "from what differs from it",
    )
    attention_heads: int = Field(
        8, ge=1, le=DEEPEST, description="heads of the residual encoder's self-attention"
    )
    static_frames: Literal["first", "random"] = Field(
        "first",
        description="frame that the residual encoder reads s from: the first, or a random one in training and the mean over "
        "all of them after it",
    )
    static_noise: StaticNoise = 0.0
    dynamic_noise: DynamicNoise = 0.0
    predictability_weight: PredictabilityWeight = 0.0
    p_mean: float = Field(-0.4, description="mean of ln σ in training")
    p_std: float = Field(1.0, gt=0, description="standard deviation of ln σ in training")
    causal: bool = Field(True, description="d^τ sees frames up to τ only (Eq. 2)")
    memory: int | None = Field(
        None,
        ge=3,
        le=LONGEST_CLIP,
        description="steps over which LSTM_1 keeps its state before training; torch's own start when null",
    )
    shared_static: bool = Field(True, description="one s a sequence; False: one a step (ablation)")
    sigma_per: Literal["frame", "sequence"] = Field(
        "frame", description="unit that gets a noise level σ of its own in training"
    )
    frames_per_clip: int | None = Field(
        None, ge=1, le=LONGEST_CLIP, description="random frames of a clip that the denoiser trains on"
    )
    condition_dropout: float = Field(
        0.0, ge=0, lt=1, description="share of frames trained without their factors, for guidance"
    )
    noise_repeats: int = Field(1, ge=1, le=DEEPEST, description="draws of noise for each frame and step")
    max_frames_per_pass: int = Field(
        4096,
        ge=1,
        le=LONGEST_CLIP,
        description="memory bound at inference; changes rounding alone, and none of encode on a CPU",
    )
    sampler: AnySamplerConfig = EDMConfig()

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.predictability_weight and not self.shared_static:
            raise ValueError(
                f"predictability_weight {self.predictability_weight} with shared_static false; allowed there: 0, for it "
                "is one s a sequence that is read"
            )
        if self.sequence_encoder == "lstms":
            if self.static_frames != "first":
                raise ValueError(
                    "static_frames 'random' needs sequence_encoder 'residual'; the LSTMs read all frames"
                )
            return self
        changed = [
            name
            for name in ("causal", "memory", "shared_static")
            if getattr(self, name) != type(self).model_fields[name].default
        ]
        if changed:
            raise ValueError(
                f"sequence_encoder 'residual' has no {changed[0]}, which is {getattr(self, changed[0])!r} here; "
                "allowed with it: 'lstms'"
            )
        width, heads = self.hidden_dim, self.attention_heads
        if width % 2 or width % heads:
            raise ValueError(
                f"hidden_dim {width} and attention_heads {heads}: sequence_encoder 'residual' needs an even width "
                "that the heads divide"
            )
        return self
