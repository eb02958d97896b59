"""Settings of the autoregressive prior."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from seqdis.core.base_config import DEEPEST, LONGEST, WIDEST
from seqdis.core.config import Config

__all__ = ["AutoregressiveConfig"]


class AutoregressiveConfig(Config):
    """Settings of the autoregressive prior, by default BCD's Tab. A9, which has no epochs and no dropout."""

    width: int = Field(1024, ge=1, le=WIDEST, description="hidden size; a multiple of the heads")
    depth: int = Field(12, ge=1, le=DEEPEST, description="number of layers")
    heads: int = Field(8, ge=1, le=DEEPEST, description="number of attention heads")
    dropout: float = Field(0.1, ge=0, lt=1, description="probability of GPT-2's dropout while it is fitted")
    subsampling: float = Field(
        0.5, ge=0, le=1, description="share of clips that are fitted at every second step alone (App. A.2)"
    )
    epochs: int = Field(100, ge=1, le=LONGEST)
    batch_size: int = Field(256, ge=1, le=LONGEST)
    lr: float = Field(1e-4, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    contents: int = Field(
        4096,
        ge=1,
        le=LONGEST,
        description="training sequences whose content is kept, for draws without a given one",
    )
    temperature: float = Field(
        1.0, gt=0, description="temperature of the draws; 1 draws from the learnt distribution"
    )
    top_k: int | None = Field(
        None,
        ge=1,
        le=LONGEST,
        description="draw among the k likeliest codes of a group; 1: always the likeliest; null: all",
    )
    top_p: float | None = Field(
        None, gt=0, le=1, description="draw among the fewest codes that hold this probability; null: all"
    )
    kv_cache: bool = Field(True, description="keep keys and values between steps; does not change results")
    seed: int = Field(0, ge=0, description="seed of the initial weights and of the training")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of the {self.heads} heads")
        return self
