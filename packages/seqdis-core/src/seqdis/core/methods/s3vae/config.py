"""The settings of S3VAE."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from seqdis.core.base_config import LONGEST_CLIP, WIDEST
from seqdis.core.config import Config
from seqdis.core.factor_settings import PredictabilityWeight
from seqdis.core.nn.backbones import BackboneConfig

__all__ = ["PredictionConfig", "S3VAEConfig"]


class PredictionConfig(Config):
    """The target that is predicted from the dynamic factor at each step (Sec. 4.2)."""

    target: str = Field(
        description="a target of the modality: `flow_cells`, `landmark_distances`, `silence`, …"
    )
    width: int = Field(ge=1, le=WIDEST, description="numbers a step")
    loss: Literal["cross_entropy", "binary", "squared"] = Field(
        description="loss of the prediction: of a distribution over cells (cross_entropy), of yes or no (binary), "
        "of numbers (squared)"
    )
    hidden: int = Field(256, ge=1, le=WIDEST, description="width between the two layers of the predictor")


class S3VAEConfig(Config):
    """S3VAE's hyper-parameters (App. D) and the weight of each auxiliary loss; 0 switches one off (Tab. 2)."""

    static_dim: int = Field(ge=1, le=WIDEST, description="width of the static factor, the paper's d_zf")
    dynamic_dim: int = Field(
        ge=1, le=WIDEST, description="width of the dynamic factor of a step, the paper's d_zt"
    )
    features: int = Field(128, ge=1, le=WIDEST, description="width of a frame's feature")
    hidden_dim: int = Field(256, ge=1, le=WIDEST, description="width of the three LSTMs")
    layer_norm: bool = Field(
        False,
        description="whether the posterior has a layer norm, with which short trainings begin at once (see "
        "docs/s3vae.md)",
    )
    static_frames: Literal["all", "random"] = Field(
        "all",
        description="frames that q(s | x) is read from: all by the LSTM, as in the paper, or a random one in training and the "
        "mean over all of them after it",
    )
    encoder: BackboneConfig
    decoder: BackboneConfig
    output: Literal["sigmoid", "linear"] = Field(
        description="the decoder gives frames in [0, 1] (sigmoid), or frames in model space (linear)"
    )
    frame_std: float = Field(
        2**-0.5, gt=0, description="σ of p(x | s, d), in the decoder's unit; 1/√2 is the sum of squares"
    )
    prediction: PredictionConfig | None = Field(None, description="needed unless prediction_weight is 0")
    consistency_weight: float = Field(
        1000.0, ge=0, description="weight λ1 of the static consistency constraint"
    )
    prediction_weight: float = Field(100.0, ge=0, description="weight λ2 of the dynamic factor prediction")
    information_weight: float = Field(1.0, ge=0, description="weight λ3 of the mutual information")
    information_into_dynamic: bool = Field(
        True,
        description="whether the mutual information also moves the dynamic factor, or the static one alone",
    )
    kl_static_weight: float = Field(
        1.0, ge=0, description="weight of the divergence of s from its prior, where no stage moves it"
    )
    kl_dynamic_weight: float = Field(
        1.0, ge=0, description="weight of the divergence of d from its prior, where no stage moves it"
    )
    reversal_weight: float = Field(
        0.0,
        ge=0,
        description="weight of predicting the target from s with the gradient reversed, which drives out of s what "
        "the target tells; 0: without",
    )
    dynamic_noise: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="std of q(d | x), whose mean then has unit power; 0: both are inferred, as in the paper",
    )
    predictability_weight: PredictabilityWeight = 0.0
    swap_weight: float = Field(
        0.0,
        ge=0,
        description="weight of what the posterior reads from swaps within the batch, against the posteriors that their "
        "factors are from; 0: without",
    )
    margin: float = Field(1.0, ge=0, description="m of the triplet loss")
    max_frames_per_pass: int = Field(
        4096,
        ge=1,
        le=LONGEST_CLIP,
        description="memory bound at inference; changes rounding alone, and none of encode on a CPU",
    )

    @model_validator(mode="after")
    def _knows_what_to_predict(self) -> Self:
        if self.prediction_weight and self.prediction is None:
            raise ValueError("prediction_weight is not 0, and there is no prediction; give one, or weight 0")
        if self.reversal_weight and self.prediction is None:
            raise ValueError("reversal_weight is not 0, and there is no prediction; give one, or weight 0")
        return self
