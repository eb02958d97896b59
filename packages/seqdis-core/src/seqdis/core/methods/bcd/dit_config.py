"""The settings of a diffusion transformer."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from seqdis.core.base_config import DEEPEST, WIDEST, Level
from seqdis.core.config import Config
from seqdis.core.errors import unknown_name

__all__ = ["DiTConfig", "dit_config"]

_SIZES = {
    "XXS": (96, 2, 3), "XS": (192, 4, 3),
    "S": (384, 12, 6), "B": (768, 12, 12), "L": (1024, 24, 16), "XL": (1152, 28, 16),
}  # fmt: skip


class DiTConfig(Config):
    """Size of a DiT, in the terms of BCD's Tab. A7 and A8."""

    patch: int = Field(ge=1, le=WIDEST, description="side of a patch, in pixels or latents")
    width: int = Field(
        ge=4, le=WIDEST, description="transformer hidden size; a multiple of 4 and of the heads"
    )
    depth: int = Field(ge=1, le=DEEPEST, description="spatial blocks")
    heads: int = Field(ge=1, le=DEEPEST, description="attention heads, of spatial and temporal blocks")
    feedforward: int = Field(4, ge=1, le=DEEPEST, description="feed-forward width over the hidden size")
    temporal: tuple[Level, ...] = Field(
        (), max_length=DEEPEST, description="spatial blocks, from 0, that a temporal block follows"
    )

    own_motion: bool = Field(
        False,
        description="whether motion modulates each block by a projection of its own (App. A.1, Eq. 13); else it is added to "
        "the noise level's embedding (Sec. 3.3)",
    )
    content_in_embedding: bool = Field(
        False,
        description="whether content is added to the embedding that modulates every block, beside its tokens; not in the paper",
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.width % 4 or self.width % self.heads:
            raise ValueError(f"width {self.width} must be a multiple of 4 and of the {self.heads} heads")
        if any(not 0 <= index < self.depth for index in self.temporal):
            raise ValueError(f"temporal {self.temporal}: allowed are blocks 0 to {self.depth - 1}")
        return self


def dit_config(name: str, *, temporal: tuple[int, ...] | None = None) -> DiTConfig:
    """The DiT of a name such as ``"S/8"`` or ``"B/4"`` (Peebles & Xie 2023, Tab. 1), with our ``"XS"``, ``"XXS"``.

    Args:
        name: Size and patch, such as ``"S/8"``.
        temporal: Numbers of the blocks that a temporal one follows; every second one, from 0, when omitted
            (BCD, Tab. A7).

    Raises:
        InputError: There is no such size.
    """
    size, _, patch = name.partition("/")
    if size not in _SIZES or not patch.isdecimal():
        raise unknown_name("DiT", name, [f"{key}/{side}" for key in _SIZES for side in (2, 4, 8)])
    width, depth, heads = _SIZES[size]
    chosen = tuple(range(0, depth, 2)) if temporal is None else temporal
    return DiTConfig(patch=int(patch), width=width, depth=depth, heads=heads, temporal=chosen)
