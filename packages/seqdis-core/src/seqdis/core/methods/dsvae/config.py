"""The settings of DSVAE."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqdis.core.base_config import LONGEST_CLIP, WIDEST
from seqdis.core.config import Config
from seqdis.core.nn.backbones import BackboneConfig

__all__ = ["DSVAEConfig"]


class DSVAEConfig(Config):
    """DSVAE's hyper-parameters; with both weights at 1 the loss is the negative evidence lower bound."""

    static_dim: int = Field(ge=1, le=WIDEST, description="S, width of the static factor")
    dynamic_dim: int = Field(ge=1, le=WIDEST, description="D, width of the dynamic factor of one step")
    posterior: Literal["full", "factorised"] = Field(
        "full", description="each step's dynamics read the static factor and the whole clip, or one frame"
    )
    features: int = Field(ge=1, le=WIDEST, description="width of a frame's feature")
    hidden_dim: int = Field(
        512, ge=1, le=WIDEST, description="width of every recurrent layer, and of the hidden layer"
    )
    layer_norm: bool = Field(
        False,
        description="whether a layer norm stands before the posterior's linear layers, with which short trainings "
        "begin at once",
    )
    encoder: BackboneConfig
    decoder: BackboneConfig
    output: Literal["sigmoid", "linear"] = Field(
        description="the decoder gives frames in [0, 1] (sigmoid), or frames in model space (linear)"
    )
    frame_std: float = Field(
        2**-0.5, gt=0, description="σ of p(x | s, d), in the decoder's unit; 1/√2 is the sum of squares"
    )
    kl_static_weight: float = Field(1.0, ge=0, description="weight of the static factor's KL divergence")
    kl_dynamic_weight: float = Field(1.0, ge=0, description="weight of the dynamic factor's KL divergence")
    max_frames_per_pass: int = Field(
        4096,
        ge=1,
        le=LONGEST_CLIP,
        description="memory bound at inference; changes rounding alone, and none of encode on a CPU",
    )
