"""Settings of the latent DDIM prior."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqdis.core.config import Config

__all__ = ["LatentDDIMConfig"]


class LatentDDIMConfig(Config):
    """DiffSDA's Tab. 8; the hidden width is 1216 (MUG) to 5008 (TaiChi-HD) there."""

    kind: Literal["dependent", "independent"] = Field(
        "dependent", description="one model of (s, d) or one of each (App. G.1)"
    )
    hidden: int = Field(1216, ge=1, description="width of the MLP's layers")
    layers: int = Field(10, ge=2, description="layers of the MLP")
    timesteps: int = Field(1000, ge=2, description="T of the linear β schedule")
    epochs: int = Field(500, ge=1)
    batch_size: int = Field(128, ge=1)
    lr: float = Field(1e-4, gt=0)
    weight_decay: float = Field(1e-5, ge=0)
    ema_decay: float = Field(0.999, ge=0, lt=1, description="of the weights' moving average")
    steps: int = Field(50, ge=1, description="levels that sampling visits")
    resamples: int = Field(10, ge=1, description="rounds of each level when one factor is given")
    seed: int = Field(0, ge=0, description="of the first weights and of the training")
