"""Settings of what keeps factors apart that several methods have, each beyond its paper."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

__all__ = ["DynamicNoise", "PredictabilityWeight", "StaticNoise"]

StaticNoise = Annotated[
    float,
    Field(ge=0, le=1000, description="σ of the noise on s, which then has unit power; 0: neither"),
]
DynamicNoise = Annotated[
    float,
    Field(ge=0, le=1000, description="σ of the noise on d, which then has unit power; 0: neither"),
]
PredictabilityWeight = Annotated[
    float,
    Field(
        ge=0,
        description="weight of the share of d's variance that a network reads from s, which is driven out of s; 0: without",
    ),
]
