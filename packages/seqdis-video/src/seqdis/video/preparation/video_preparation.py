"""The preparation of one video: looked at for a face where that is asked for, then cut, resized and written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from seqdis.core.config import parse_config
from seqdis.core.data.file_preparation import FilePreparation
from seqdis.core.errors import InputError
from seqdis.video.preparation.clip_pictures import clip_pictures, first_time
from seqdis.video.preparation.clip_writer import PreparedPicture, write_folder, write_mp4
from seqdis.video.preparation.faces import FaceDetector, haar_detector, load_cascade
from seqdis.video.preparation.kept_sound import SoundSource
from seqdis.video.preparation.preparation_options import VideoPreparationOptions
from seqdis.video.preparation.region import Region, centre_region, cut_out, given_region, square_region
from seqdis.video.preparation.steady_box import SteadyBox, steady_box

__all__ = ["VideoPreparation", "find_face", "video_preparation"]


@dataclass(frozen=True)
class VideoPreparation(FilePreparation):
    """A clip cut to a region, resized, and written at a rate."""

    options: VideoPreparationOptions

    def suffix(self, source: Path) -> str:
        as_folder = self.options.format == "frames" or (self.options.format is None and source.is_dir())
        return "" if as_folder else ".mp4"

    def prepare(self, source: Path, target: Path) -> Mapping[str, Any]:
        options, as_folder = self.options, not self.suffix(source)
        if not as_folder and source.is_dir() and options.fps is None:
            raise InputError("a folder of pictures has no clock; fps= says how fast the mp4 is")
        notes: dict[str, Any] = {}
        face = None
        if options.crop == "face":
            face = find_face(
                source, haar_detector(options.cascade, min_face=options.min_face), options=options
            )
            notes["face"] = f"{face.seen} of {face.looked}"
        pictures = self._pictures(source, face, notes)
        if as_folder:
            notes["pictures"] = write_folder(target, pictures)
            return notes
        first = first_time(source) if options.sound else None
        sound = None if first is None else SoundSource(source, first)
        notes["pictures"] = write_mp4(target, pictures, fps=options.fps, quality=options.quality, sound=sound)
        return notes

    def _pictures(
        self, source: Path, face: SteadyBox | None, notes: dict[str, Any]
    ) -> Iterator[PreparedPicture]:
        for picture in clip_pictures(source, fps=self.options.fps):
            region = self._region(picture.image, face)
            if region is not None and "region" not in notes:
                notes["region"] = [*asdict(region).values()]
            fit: Literal["crop", "pad"] = "crop" if self.options.crop == "centre" else "pad"
            yield PreparedPicture(cut_out(picture.image, region, self.options.size, fit=fit), picture.seconds)

    def _region(self, image: Image.Image, face: SteadyBox | None) -> Region | None:
        crop, size = self.options.crop, self.options.size
        if face is not None:
            return square_region(face.box, *image.size, inside=self.options.border == "inside")
        if isinstance(crop, tuple):
            return given_region(crop, *image.size)
        if crop == "centre":
            return centre_region(*image.size, shape=size if isinstance(size, tuple) else (1, 1))
        return None


def find_face(source: Path, detect: FaceDetector, *, options: VideoPreparationOptions) -> SteadyBox:
    """Look for a face in every n-th picture of a clip, and find one box for all of it.

    Args:
        source: The clip to search.
        detect: The detector of faces in a picture.
        options: The settings of the search.

    Raises:
        InputError: The clip cannot be used, its pictures differ in size, or there is no steady face; see
            :func:`steady_box`.
    """
    found, sizes = [], set()
    for picture in clip_pictures(source, fps=options.fps, every=options.look_every):
        sizes.add(picture.image.size)
        found.append(detect(picture.image))
    if len(sizes) > 1:
        named = " and ".join(f"{w}x{h}" for w, h in sorted(sizes))
        raise InputError(f"pictures of {named}; a face is looked for in pictures of one size")
    return steady_box(found, margin=options.margin, share=options.face_share)


def video_preparation(options: Mapping[str, Any]) -> VideoPreparation:
    """Check the settings of a preparation, and that what they need is installed.

    Raises:
        InputError: An option is unknown or out of range, or OpenCV's cascades are not there for ``crop=face``.
    """
    checked = parse_config(VideoPreparationOptions, options, where="video preparation")
    if checked.crop == "face":
        load_cascade(checked.cascade)
    return VideoPreparation(checked)
