"""The settings of VDSM."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from seqdis.core.base_config import WIDEST, Width
from seqdis.core.config import Config

__all__ = ["VDSMConfig"]


class VDSMConfig(Config):
    """VDSM's sizes, of which the paper gives none, its likelihood, and what it leaves open."""

    static_dim: int = Field(
        ge=2, le=WIDEST, description="width of the identity s, and so the number of experts, N"
    )
    action_dim: int = Field(
        ge=1, le=WIDEST, description="width of the action d, and so of the states that unroll it"
    )
    pose_dim: int = Field(ge=1, le=WIDEST, description="width of the pose z of a frame")
    encoder_channels: tuple[Width, ...] = Field(
        min_length=1, max_length=16, description="channels of the convolutions; each layer halves the frame"
    )
    decoder_channels: tuple[Width, ...] = Field(
        min_length=1,
        max_length=16,
        description="channels of an expert's maps, from 4x4 on; each layer doubles their side",
    )
    features: int = Field(ge=1, le=WIDEST, description="width of the identity and pose embeddings of a frame")
    recurrent: int = Field(ge=1, le=WIDEST, description="width of the bi-LSTM, each way")
    transition: int = Field(ge=1, le=WIDEST, description="hidden width of the transition network")
    likelihood: Literal["bernoulli", "gaussian", "laplace"] = Field(
        "bernoulli",
        description="likelihood of a pixel in [0, 1] (bernoulli), or of a normalised value around its mean (gaussian, or "
        "laplace, before which small errors count as much as large ones)",
    )
    observation_std: float = Field(
        0.5,
        gt=0,
        description="standard deviation of the Gaussian or Laplace likelihood; that of the data is 0.5",
    )
    evidence: bool = Field(
        False,
        description="whether the LSTM that infers poses reads the frames; otherwise poses depend on them through d "
        "alone, as in the paper",
    )
    norm_groups: int = Field(
        0,
        ge=0,
        le=WIDEST,
        description="groups of the group norms after the convolutions of encoder and decoder; 0: without, as in the paper",
    )
    temperature: float = Field(
        1.0, gt=0, description="temperature τ_s of the mixture of experts, where no stage changes it"
    )

    @model_validator(mode="after")
    def _norms_fit(self) -> Self:
        widths = (*self.encoder_channels, *self.decoder_channels)
        uneven = [width for width in widths if self.norm_groups and width % self.norm_groups]
        if uneven:
            raise ValueError(
                f"norm_groups {self.norm_groups} does not divide {uneven[0]}; it must divide all encoder_channels and "
                "decoder_channels"
            )
        return self
