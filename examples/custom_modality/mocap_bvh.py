"""BVH, the file format of motion capture: a skeleton, and the turns of its joints frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqdis.core.errors import InputError


@dataclass(frozen=True)
class Bvh:
    """A parsed file: J joints (tips as ``<parent>_End``), T frames.

    Attributes:
        names, parents: Of each joint; the root's parent is -1.
        offsets: Rest position seen from the parent, ``(J, 3)``.
        rotations: Each joint's turn, ``(T, J, 3, 3)``.
        root: Position of the first joint, ``(T, 3)``.
        frame_time: Seconds.
    """

    names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    rotations: np.ndarray
    root: np.ndarray
    frame_time: float


def parse_bvh(text: str, name: str, *, fps: float | None = None, skip: int = 0) -> Bvh:
    """Read a BVH text; with ``fps``, keep only every so many frames, starting at frame ``skip``.

    Raises:
        InputError: It is not BVH, is cut off, or holds other than three rotations a joint.
    """
    head, motion, body = text.partition("MOTION")
    words, names, parents, offsets, channels, stack = head.split(), [], [], [], [], []
    try:
        if not motion or words[0] != "HIERARCHY":
            raise ValueError("no HIERARCHY and MOTION")
        for i, word in enumerate(words):
            if word in ("ROOT", "JOINT", "End"):
                parents.append(stack[-1] if stack else -1)
                names.append(f"{names[stack[-1]]}_End" if word == "End" else words[i + 1])
                channels.append([])
            elif word == "OFFSET":
                offsets.append([float(number) for number in words[i + 1 : i + 4]])
            elif word == "CHANNELS":
                channels[-1] = words[i + 2 : i + 2 + int(words[i + 1])]
            elif word == "{":
                stack.append(len(names) - 1)
            elif word == "}":
                stack.pop()
        lines = body.strip().splitlines()
        count, frame_time = int(lines[0].split(":")[1]), float(lines[1].split(":")[1])
        rows = lines[2 : 2 + count]
        width = sum(map(len, channels))
        every = max(1, round(1 / (frame_time * fps))) if fps else 1
        values = np.array([row.split() for row in rows[skip::every]], dtype=np.float64)
    except (ValueError, IndexError) as error:
        raise InputError(f"{name}: cannot be read as BVH: {error}") from None
    if len(rows) != count or values.ndim != 2 or values.shape[1] != width or not np.isfinite(values).all():
        raise InputError(
            f"{name}: declares {count} frames of {width} channels; holds {len(rows)}, or broken ones"
        )
    rotations = np.broadcast_to(np.eye(3), (len(values), len(names), 3, 3)).copy()
    root, column = np.zeros((len(values), 3)), 0
    for joint, kinds in enumerate(channels):
        for kind in kinds:
            axis = "XYZ".index(kind[0])
            if kind.endswith("rotation"):
                rotations[:, joint] @= axis_rotation(np.radians(values[:, column]), axis)
            elif joint == 0:
                root[:, axis] = values[:, column]
            column += 1
    return Bvh(tuple(names), tuple(parents), np.array(offsets), rotations, root, frame_time * every)


def axis_rotation(angle: np.ndarray, axis: int) -> np.ndarray:
    """Rotation matrices ``(…, 3, 3)`` by ``angle (…)`` about one axis, right-handed."""
    a, b = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((*angle.shape, 3, 3))
    matrix[..., axis, axis] = 1
    matrix[..., a, a] = matrix[..., b, b] = np.cos(angle)
    matrix[..., b, a] = np.sin(angle)
    matrix[..., a, b] = -np.sin(angle)
    return matrix


def forward_kinematics(
    rotations: np.ndarray, root: np.ndarray, offsets: np.ndarray, parents: Sequence[int]
) -> np.ndarray:
    """Where joints are: ``p_j = p_parent + R_parent · offset_j``, ``(T, J, 3)``; parents come first.

    Args:
        rotations: Of each joint against its parent, ``(T, J, 3, 3)``.
        root: ``(T, 3)``.
        offsets: ``(J, 3)`` or ``(T, J, 3)``.
        parents: Index of each joint's parent, -1 for the root.
    """
    offsets = np.broadcast_to(offsets, (len(root), len(parents), 3))
    world, position = rotations.copy(), np.empty((len(root), len(parents), 3))
    for joint, parent in enumerate(parents):
        if parent < 0:
            position[:, joint] = root
            continue
        world[:, joint] = world[:, parent] @ rotations[:, joint]
        position[:, joint] = position[:, parent] + np.einsum(
            "tij,tj->ti", world[:, parent], offsets[:, joint]
        )
    return position


def bvh_text(bvh: Bvh) -> str:
    """A BVH text whose rotations are in CMU's order, Z · Y · X."""
    lines = ["HIERARCHY"]

    def describe(joint: int, depth: int) -> None:
        tip, pad = bvh.names[joint].endswith("_End"), "\t" * depth
        kind = "End Site" if tip else f"{'JOINT' if depth else 'ROOT'} {bvh.names[joint]}"
        lines.extend(
            [pad + kind, pad + "{", f"{pad}\tOFFSET " + " ".join(f"{v:.6f}" for v in bvh.offsets[joint])]
        )
        if not tip:
            root = "" if depth else "Xposition Yposition Zposition "
            lines.append(f"{pad}\tCHANNELS {3 if depth else 6} {root}Zrotation Yrotation Xrotation")
        for child in (i for i, parent in enumerate(bvh.parents) if parent == joint):
            describe(child, depth + 1)
        lines.append(pad + "}")

    describe(0, 0)
    turning = [i for i, name in enumerate(bvh.names) if not name.endswith("_End")]
    r = bvh.rotations[:, turning]
    z = np.arctan2(r[..., 1, 0], r[..., 0, 0])
    y = np.arctan2(-r[..., 2, 0], np.hypot(r[..., 0, 0], r[..., 1, 0]))
    x = np.arctan2(r[..., 2, 1], r[..., 2, 2])
    angles = np.degrees(np.stack([z, y, x], axis=-1)).reshape(len(r), -1)
    lines += ["MOTION", f"Frames: {len(r)}", f"Frame Time: {bvh.frame_time:.7f}"]
    lines += [" ".join(f"{v:.6f}" for v in row) for row in np.column_stack([bvh.root, angles])]
    return "\n".join(lines) + "\n"
