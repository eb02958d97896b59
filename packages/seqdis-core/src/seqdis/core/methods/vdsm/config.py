"""The settings of VDSM."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqdis.core.config import Config

__all__ = ["VDSMConfig"]


class VDSMConfig(Config):
    """VDSM's sizes, of which the paper gives none, its likelihood, and what it leaves open."""

    static_dim: int = Field(ge=2, description="of the identity s, and so the number of experts, N")
    action_dim: int = Field(ge=1, description="of the action d, and so of the states that unroll it")
    pose_dim: int = Field(ge=1, description="of the pose z of a frame")
    encoder_channels: tuple[int, ...] = Field(
        min_length=1, description="of the convolutions; each layer halves the frame"
    )
    decoder_channels: tuple[int, ...] = Field(
        min_length=1, description="of an expert's maps, from 4x4 on; each layer doubles them"
    )
    features: int = Field(ge=1, description="width of the identity and pose embeddings of a frame")
    recurrent: int = Field(ge=1, description="width of the bi-LSTM, each way")
    transition: int = Field(ge=1, description="hidden width of the transition network")
    likelihood: Literal["bernoulli", "gaussian"] = Field(
        "bernoulli", description="of a pixel in [0, 1], or of a normalised value around its mean"
    )
    observation_std: float = Field(
        0.1, gt=0, description="of the Gaussian likelihood, where the data have 0.5"
    )
    evidence: bool = Field(
        True, description="the LSTM that infers poses reads the frames; otherwise all they tell is in d"
    )
    temperature: float = Field(1.0, gt=0, description="of the mixture, where no stage moves it")
