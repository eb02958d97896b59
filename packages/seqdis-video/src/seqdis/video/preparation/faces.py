"""Faces in single pictures, by OpenCV's Haar cascades."""

from __future__ import annotations

import functools
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from seqdis.core.errors import InputError
from seqdis.video.preparation.steady_box import Box

__all__ = ["FaceDetector", "haar_detector", "load_cascade"]

_EXTRA = "pip install 'seqdis-video[faces]'"
_SHORT_SIDE = 360
"""Pixels of the shorter side to which larger pictures are reduced before they are searched."""
_SCALE, _NEIGHBOURS = 1.1, 5
"""Ratio of the sizes that are tried, and number of overlapping hits that make a face."""


class FaceDetector(Protocol):
    """A function that finds faces in a picture."""

    def __call__(self, image: Image.Image) -> Sequence[Box]:
        """The faces in an RGB picture, in its pixels."""
        ...


@functools.cache
def load_cascade(cascade: str) -> Any:
    """Load a cascade of boosted classifiers (Viola and Jones 2001).

    Args:
        cascade: The name of one that OpenCV brings along, or the path of an xml file.

    Raises:
        InputError: OpenCV is not installed or is a version without cascades, or there is no such cascade.
    """
    try:
        import cv2
    except ImportError as error:
        raise InputError(
            f"crop=face needs OpenCV 4: {_EXTRA}; or give a region: crop=x,y,width,height"
        ) from error
    library: Any = cv2  # an extra: types must be the same with and without it
    if not hasattr(library, "CascadeClassifier"):
        raise InputError(f"crop=face needs OpenCV 4; OpenCV {library.__version__} has no cascades: {_EXTRA}")
    folder = Path(library.data.haarcascades)
    path = Path(cascade) if cascade.endswith(".xml") else folder / f"{cascade}.xml"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in folder.glob("*face*.xml"))) or "none came with OpenCV"
        raise InputError(f"cascade {cascade!r}: no such file; allowed: an xml file, or one of {known}")
    try:
        classifier = library.CascadeClassifier(str(path))
    except (library.error, SystemError) as error:  # its bindings wrap the one in the other
        raise InputError(f"{path}: cannot be read as a cascade") from error
    if classifier.empty():
        raise InputError(f"{path}: cannot be read as a cascade")
    if multiprocessing.parent_process() is not None:
        library.setNumThreads(1)  # one of several processes that share the cores
    return classifier


def haar_detector(cascade: str, *, min_face: float) -> FaceDetector:
    """A detector by a cascade, on the picture's luma with its histogram made flat.

    Args:
        cascade: The cascade; see :func:`load_cascade`.
        min_face: Smallest face, as a share of the picture's shorter side.

    Raises:
        InputError: The cascade cannot be used.
    """
    classifier = load_cascade(cascade)
    import cv2

    library: Any = cv2

    def detect(image: Image.Image) -> list[Box]:
        scale = min(1.0, _SHORT_SIDE / min(image.size))
        width, height = (max(1, round(side * scale)) for side in image.size)
        grey = library.equalizeHist(
            np.asarray(image.convert("L").resize((width, height), Image.Resampling.BOX))
        )
        least = max(1, round(min_face * min(width, height)))
        found = classifier.detectMultiScale(
            grey, scaleFactor=_SCALE, minNeighbors=_NEIGHBOURS, minSize=(least, least)
        )
        faces = (map(float, face) for face in found)
        return [Box((x + w / 2) / scale, (y + h / 2) / scale, max(w, h) / scale) for x, y, w, h in faces]

    return detect
