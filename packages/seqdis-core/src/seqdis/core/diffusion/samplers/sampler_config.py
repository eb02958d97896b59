"""The settings that every sampler has, and the type of a field that holds those of any installed one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, SerializeAsAny, field_validator

from seqdis.core.kind_config import KindConfig, parse_kind

__all__ = ["AnySamplerConfig", "SamplerConfig"]

_MOST_LEVELS = 1_000_000
_SOURCES = ("auto", "karras", "chain")


class SamplerConfig(KindConfig):
    """Base of a sampler's settings: its noise levels and classifier-free guidance.

    The levels are those of Karras et al. (2022, Eq. 5), or N steps of the discrete chain that the model was
    trained on; then ``sigma_min``, ``sigma_max`` and ``rho`` have no say. Where they are given one by one,
    ``steps`` has none either.
    """

    group: ClassVar[str] = "samplers"

    steps: int = Field(32, ge=1, le=1_000_000, description="noise levels N above zero")
    levels: Literal["auto", "karras", "chain"] | tuple[float, ...] = Field(
        "auto",
        description="source of the noise levels; chain: N steps of the model's own chain; auto: chain where the "
        "model was trained on one, else karras; or the levels themselves, falling, the last one 0",
    )
    spacing: Literal["trailing", "linspace"] = Field(
        "trailing", description="which steps of a chain; linspace takes both ends"
    )
    sigma_min: float = Field(0.002, ge=1e-9, le=1e9, description="last of the karras levels above zero")
    sigma_max: float = Field(80.0, ge=1e-9, le=1e9, description="first of the karras levels")
    rho: float = Field(
        7.0, ge=0.1, le=1000, description="larger puts more of the karras levels near sigma_min"
    )
    guidance: float = Field(1.0, ge=0, le=1e6, description="classifier-free guidance w; 1 is none")
    guidance_interval: tuple[float, float] = Field(
        (0.0, 1e9), description="levels σ, from and to, at which guidance is on"
    )

    @field_validator("levels", mode="before")
    @classmethod
    def _falls_to_zero(cls, value: Any) -> Any:
        if isinstance(value, str) or not isinstance(value, Sequence):
            if value not in _SOURCES:
                raise ValueError("allowed: 'auto', 'karras', 'chain', or noise levels that fall to 0")
            return value
        if len(value) > _MOST_LEVELS:
            raise ValueError(f"{len(value)} levels; allowed: {_MOST_LEVELS}")
        levels = tuple(float(level) for level in value)
        falls = all(high > low for high, low in pairwise(levels))
        if len(levels) < 2 or not falls or levels[-1] != 0:
            raise ValueError("levels must fall strictly and end at 0")
        return levels


def _any_sampler(value: Any) -> Any:
    return parse_kind(SamplerConfig, value)


AnySamplerConfig = Annotated[SerializeAsAny[SamplerConfig], BeforeValidator(_any_sampler)]
"""The settings of any installed sampler: plain values become those of the sampler that ``kind`` names."""
