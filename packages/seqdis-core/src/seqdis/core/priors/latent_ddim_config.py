"""Settings of the latent DDIM prior."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqdis.core.base_config import DEEPEST, LONGEST, WIDEST
from seqdis.core.config import Config

__all__ = ["LatentDDIMConfig"]


class LatentDDIMConfig(Config):
    """Settings of the latent DDIM, by default DiffSDA's Tab. 8; presets have its widths and epochs by dataset."""

    dependent: bool = Field(
        True, description="one model of the joint (s, d); False: one of s and one of d (App. G.1)"
    )
    hidden: int | None = Field(
        None,
        ge=1,
        le=WIDEST,
        description="width of the MLP's layers; that of the joint vector, at least 256, when omitted",
    )
    layers: int = Field(10, ge=2, le=DEEPEST, description="number of layers of the MLP")
    timesteps: int = Field(1000, ge=2, le=1_000_000, description="number of steps T of the linear β schedule")
    epochs: int = Field(500, ge=1, le=LONGEST)
    batch_size: int = Field(128, ge=1, le=LONGEST)
    lr: float = Field(1e-4, gt=0)
    weight_decay: float = Field(1e-5, ge=0)
    ema_decay: float = Field(0.999, ge=0, lt=1, description="decay of the moving average of the weights")
    sampler: Literal["dpmpp", "ddim"] = Field(
        "dpmpp",
        description="sampler of unconditional draws; DPM-Solver++(2M) takes a third of the steps of the paper's DDIM",
    )
    steps: int = Field(16, ge=1, le=1_000_000, description="number of noise levels of the sampler")
    resamples: int = Field(
        10, ge=1, le=1_000_000, description="rounds of each level when one factor is given"
    )
    seed: int = Field(0, ge=0, description="seed of the initial weights and of the training")
