"""The settings by which videos are prepared."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from seqdis.core.base_config import WIDEST
from seqdis.core.config import Config

__all__ = ["VideoPreparationOptions"]

_OF_FACES = ("margin", "border", "look_every", "face_share", "min_face", "cascade")
_REGION = 4


_Pixels = Annotated[int, Field(le=WIDEST)]


class VideoPreparationOptions(Config):
    """The part that is kept of each picture of a clip, its size, and the form in which it is written."""

    crop: Literal["centre", "face"] | tuple[_Pixels, _Pixels, _Pixels, _Pixels] | None = Field(
        None,
        description="'centre': the largest part of the shape of size in the middle, a square unless size is two "
        "numbers; x,y,width,height: this part, in pixels from the left upper corner of the upright picture; 'face': a "
        "square around the face; none: the whole picture",
    )
    size: _Pixels | tuple[_Pixels, _Pixels] | None = Field(
        None,
        description="pixels of the shorter side, with the proportions kept; or height,width, with black bars where the "
        "proportions differ; none keeps the size",
    )
    fps: float | None = Field(
        None,
        gt=0,
        le=1000,
        description="pictures a second, sampled in time; none keeps every picture and its time",
    )
    format: Literal["mp4", "frames"] | None = Field(
        None,
        description="what is written: H.264 in mp4, or a folder of png; none: mp4 of a file, a folder of a folder",
    )
    quality: int = Field(
        12, ge=0, le=51, description="x264's crf of an mp4: 0 has no loss, 12 none that is visible"
    )
    sound: bool = Field(True, description="whether an mp4 keeps the sound")
    margin: float = Field(
        0.3, ge=0, le=5, description="what is added on each side of the face, as a share of the face's side"
    )
    border: Literal["inside", "pad"] = Field(
        "inside",
        description="where the square crosses the picture's border: 'inside' moves it, and shrinks it to the picture; "
        "'pad' adds black",
    )
    look_every: int = Field(5, ge=1, le=1_000_000, description="faces are looked for in every n-th picture")
    face_share: float = Field(
        0.25, gt=0, le=1, description="share of the pictures looked at in which the face must be found"
    )
    min_face: float = Field(
        0.1, gt=0, le=1, description="smallest face looked for, as a share of the picture's shorter side"
    )
    cascade: str = Field(
        "haarcascade_frontalface_default", description="a cascade that OpenCV brings along, or an xml file"
    )

    @field_validator("crop", mode="before")
    @classmethod
    def _crop(cls, value: Any) -> Any:
        if value is None or value in ("centre", "face"):
            return value
        numbers = isinstance(value, (list, tuple)) and all(type(number) is int for number in value)
        if not numbers or len(value) != _REGION or min(value) < 0 or min(value[2:]) < 1:
            raise ValueError("allowed: centre, face, none, or x,y,width,height in pixels")
        return tuple(value)

    @field_validator("size", mode="before")
    @classmethod
    def _size(cls, value: Any) -> Any:
        sides = value if isinstance(value, (list, tuple)) else [value]
        if value is None:
            return value
        if len(sides) > 2 or not all(type(side) is int and side >= 2 and side % 2 == 0 for side in sides):
            raise ValueError("allowed: an even number of pixels, two (height,width), or none")
        return tuple(value) if isinstance(value, (list, tuple)) else value

    @model_validator(mode="after")
    def _of_faces_alone(self) -> Self:
        given = [name for name in _OF_FACES if name in self.model_fields_set]
        if given and self.crop != "face":
            raise ValueError(f"{', '.join(given)} belongs to crop=face; crop is {self.crop or 'none'}")
        if self.crop == "face" and isinstance(self.size, tuple) and self.size[0] != self.size[1]:
            raise ValueError(f"crop=face is a square; size is {self.size}; allowed: one number")
        return self
