"""One box for a whole clip, from the boxes that were found in some of its pictures."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from seqdis.core.errors import InputError

__all__ = ["Box", "SteadyBox", "steady_box"]

_NEAR = 1.0
"""Distance of middles, as a share of the larger side, up to which two boxes are the same face."""
_ALIKE = 2.0
"""Ratio of sides up to which two boxes are the same face."""
_OUTSIDE = 0.2
"""Share of the pictures in which the middle of the face may lie outside of the steady box."""


@dataclass(frozen=True)
class Box:
    """A square in a picture: its middle and its side, in pixels."""

    x: float
    y: float
    side: float

    def holds(self, x: float, y: float) -> bool:
        """Whether a point lies in it."""
        return max(abs(x - self.x), abs(y - self.y)) <= self.side / 2


@dataclass(frozen=True)
class SteadyBox:
    """A box for a whole clip.

    Attributes:
        box: The box in pixels.
        seen: Number of pictures in which its face was found.
        looked: Number of pictures that were looked at.
    """

    box: Box
    seen: int
    looked: int


@dataclass
class _Track:
    boxes: list[Box] = field(default_factory=list)
    last_picture: int = -1

    def goes_on_with(self, box: Box) -> bool:
        last = self.boxes[-1]
        larger, smaller = max(last.side, box.side), min(last.side, box.side)
        return self.distance(box) <= _NEAR * larger and larger <= _ALIKE * smaller

    def distance(self, box: Box) -> float:
        return max(abs(self.boxes[-1].x - box.x), abs(self.boxes[-1].y - box.y))


def steady_box(found: Sequence[Sequence[Box]], *, margin: float, share: float) -> SteadyBox:
    """The box of the face that is largest and longest to be seen.

    Boxes near each other in successive pictures are one face; the face with the largest sum of sides is taken, so that
    neither a face in the background nor a wrong detection in one picture wins. The middle and the side are medians over
    its boxes; ``margin`` times the side is added all round.

    Args:
        found: The boxes of all faces in each picture looked at, in the order of time.
        margin: Share of the face's side that is added on each side.
        share: Share of the pictures in which the face must be found.

    Raises:
        InputError: There is no face, it is in too few of the pictures, or it moves out of any one box.
    """
    tracks: list[_Track] = []
    for number, boxes in enumerate(found):
        for box in sorted(boxes, key=lambda one: -one.side):
            open_ = [track for track in tracks if track.last_picture < number and track.goes_on_with(box)]
            track = min(open_, key=lambda one: one.distance(box), default=None)
            if track is None:
                tracks.append(track := _Track())
            track.boxes.append(box)
            track.last_picture = number
    if not tracks:
        raise InputError(f"no face in any of the {len(found)} pictures looked at")
    boxes = max(tracks, key=lambda one: sum(box.side for box in one.boxes)).boxes
    if len(boxes) < share * len(found):
        raise InputError(
            f"a face in {len(boxes)} of the {len(found)} pictures looked at; face_share={share:g} asks for more"
        )
    x, y, side = (statistics.median(getattr(box, name) for box in boxes) for name in ("x", "y", "side"))
    steady = Box(x, y, side * (1 + 2 * margin))
    outside = sum(not steady.holds(box.x, box.y) for box in boxes)
    if outside > _OUTSIDE * len(boxes):
        raise InputError(
            f"the face moves: in {outside} of {len(boxes)} pictures it is outside of one steady box; a larger margin "
            f"than {margin:g} may hold it"
        )
    return SteadyBox(steady, len(boxes), len(found))
