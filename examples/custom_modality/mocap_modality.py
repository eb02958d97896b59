"""A modality of one's own: motion capture (BVH), for every method that takes vectors.

``pyproject.toml`` beside it declares the entry point; nothing else is told about it. From top to
bottom: the skeleton, poses as vectors, the dataset, and the modality itself.
"""

from __future__ import annotations

import lzma
import math
import tarfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from matplotlib.animation import PillowWriter
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from mocap_bvh import Bvh, axis_rotation, bvh_text, forward_kinematics, parse_bvh
from pydantic import Field
from torch import Tensor

from seqdis.core.config import Config, DataConfig, RunConfig, TrainConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.modality import DatasetSpec, Modality, Panel
from seqdis.core.nn.backbones import BackboneConfig

# --- The skeleton: CMU's, without fingers. A row is a joint, its parent, and where it sits at rest as seen
# from the parent (x left, y up, z forward). A name in _End is the tip of a limb.
_SKELETON = (
    ("Hips",             "",              0.00,  0.00,  0.00),
    ("LeftUpLeg",        "Hips",          1.66, -1.80,  0.62),
    ("LeftLeg",          "LeftUpLeg",     2.60, -7.14,  0.00),
    ("LeftFoot",         "LeftLeg",       2.49, -6.85,  0.00),
    ("LeftToeBase",      "LeftFoot",      0.20, -0.54,  2.15),
    ("LeftToeBase_End",  "LeftToeBase",   0.00,  0.00,  1.11),
    ("RightUpLeg",       "Hips",         -1.61, -1.80,  0.62),
    ("RightLeg",         "RightUpLeg",   -2.60, -7.13,  0.00),
    ("RightFoot",        "RightLeg",     -2.47, -6.78,  0.00),
    ("RightToeBase",     "RightFoot",    -0.23, -0.63,  2.13),
    ("RightToeBase_End", "RightToeBase",  0.00,  0.00,  1.12),
    ("LowerBack",        "Hips",          0.00,  0.00,  0.00),
    ("Spine",            "LowerBack",     0.02,  2.05, -0.14),
    ("Spine1",           "Spine",         0.01,  2.06, -0.06),
    ("Neck",             "Spine1",        0.00,  0.00,  0.00),
    ("Neck1",            "Neck",          0.01,  1.57,  0.15),
    ("Head",             "Neck1",         0.03,  1.56, -0.10),
    ("Head_End",         "Head",          0.01,  1.63, -0.05),
    ("LeftArm",          "Spine1",        3.54,  0.90, -0.17),
    ("LeftForeArm",      "LeftArm",       4.87,  0.00,  0.00),
    ("LeftHand",         "LeftForeArm",   3.36,  0.00,  0.00),
    ("LeftHandIndex1",   "LeftHand",      0.66,  0.00,  0.00),
    ("RightArm",         "Spine1",       -3.50,  0.76, -0.33),
    ("RightForeArm",     "RightArm",     -5.03,  0.00,  0.00),
    ("RightHand",        "RightForeArm", -3.36,  0.00,  0.00),
    ("RightHandIndex1",  "RightHand",    -0.73,  0.00,  0.00),
)  # fmt: skip
JOINTS = tuple(row[0] for row in _SKELETON)
PARENTS = tuple(JOINTS.index(row[1]) if row[1] else -1 for row in _SKELETON)
REST = np.array([row[2:] for row in _SKELETON])
# Tips do not turn; a hand turns only about its own length, which moves no joint.
TURNING = tuple(i for i, name in enumerate(JOINTS) if "Hand" not in name and not name.endswith("_End"))
BONES = tuple(i for i in range(len(JOINTS)) if REST[i].any())
FEATURES = 4 + 6 * len(TURNING) + len(BONES)


# --- Poses as vectors, continuous and without a place or a direction in the room:
#     height | forward and side step | turn || 6-D rotations (Zhou et al. 2019) of 19 joints || bone lengths.
def features_of(bvh: Bvh, name: str) -> Tensor:
    """``(T, FEATURES)`` float32 of a file that has CMU's joints; further joints are dropped.

    Raises:
        InputError: A joint is missing, or there is only one frame.
    """
    missing = [joint for joint in JOINTS if joint not in bvh.names]
    if missing or len(bvh.root) < 2:
        raise InputError(
            f"{name}: needs two frames and CMU's joints; {len(bvh.root)} frames, lacks {missing or 'none'}"
        )
    index = [bvh.names.index(joint) for joint in JOINTS]
    lengths = []
    for bone in BONES:
        step, above = np.zeros(3), index[bone]
        while above != index[PARENTS[bone]]:  # joints between the two are dropped: their offsets add up
            step, above = step + bvh.offsets[above], bvh.parents[above]
        lengths.append(np.linalg.norm(step))
    local = bvh.rotations[:, index]
    left = local[:, 0, :, 0]
    heading = np.unwrap(np.arctan2(-left[:, 2], left[:, 0]))
    local[:, 0] = axis_rotation(-heading, 1) @ local[:, 0]
    walked = np.einsum("tij,tj->ti", axis_rotation(-heading[:-1], 1), np.diff(bvh.root, axis=0))
    motion = np.column_stack([walked[:, 2], walked[:, 0], np.diff(heading)])
    motion = np.concatenate([motion[:1], motion])  # the first frame has no frame before it
    # Up and forward axes: with the heading taken out, the third component of the hips' left axis is always 0.
    six = local[:, TURNING, :, 1:].swapaxes(-1, -2).reshape(len(local), -1)
    spread = np.broadcast_to(np.array(lengths), (len(local), len(lengths)))
    return torch.from_numpy(np.column_stack([bvh.root[:, 1], motion, six, spread])).float()


def skeleton_of(frames: Tensor, frame_time: float = 1 / 30) -> Bvh:
    """The way back, from ``(T, FEATURES)``: starts above the origin, facing forward.

    Any two vectors of 3 become two columns of a rotation by Gram-Schmidt, so that what a decoder
    gives need not be exact.
    """
    x = frames.detach().cpu().double().numpy()
    total = len(x)
    heading = np.concatenate([[0.0], np.cumsum(x[1:, 3])])
    walked = np.column_stack([x[:, 2], np.zeros(total), x[:, 1]])
    walked[1:] = np.einsum("tij,tj->ti", axis_rotation(heading[:-1], 1), walked[1:])
    walked[0] = 0
    root = walked.cumsum(0) + np.column_stack([np.zeros(total), x[:, 0], np.zeros(total)])
    y, z = np.moveaxis(x[:, 4 : 4 + 6 * len(TURNING)].reshape(total, len(TURNING), 2, 3), 2, 0)
    y = y / np.maximum(np.linalg.norm(y, axis=-1, keepdims=True), 1e-8)
    z = z - (y * z).sum(-1, keepdims=True) * y
    z = z / np.maximum(np.linalg.norm(z, axis=-1, keepdims=True), 1e-8)
    local = np.broadcast_to(np.eye(3), (total, len(JOINTS), 3, 3)).copy()
    local[:, TURNING] = np.stack([np.cross(y, z), y, z], axis=-1)
    local[:, 0] = axis_rotation(heading, 1) @ local[:, 0]
    offsets = REST.copy()
    length = x[:, 4 + 6 * len(TURNING) :].mean(0)
    offsets[list(BONES)] *= (length / np.linalg.norm(REST[list(BONES)], axis=1))[:, None]
    return Bvh(JOINTS, PARENTS, offsets, local, root, frame_time)


# --- The dataset: windows of 84 recordings of seven people.
_THEMES = ("walk", "run", "dance", "basketball", "other")
_THEME_OF = {"03": "walk", "05": "dance", "06": "basketball", "07": "walk", "08": "walk", "09": "run"}
_THEME_OF |= {f"02_{trial:02d}": "other" for trial in range(1, 11)} | {
    "02_01": "walk",
    "02_02": "walk",
    "02_03": "run",
}
_SUBJECTS = ("02", "03", "05", "06", "07", "08", "09")
LABELS = {"subject": Label(_SUBJECTS, "static"), "theme": Label(_THEMES, "dynamic")}


def cmu_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """Windows of V frames that start V/4 apart; a whole recording goes to one split.

    Of a person's every eight recordings two are for testing and one for validation. The archive is
    read in memory.

    Raises:
        InputError: The archive is absent or damaged.
    """
    archive = Path(root or ".") / "cmu_mocap_bvh.tar.xz"
    options = MocapOptions.model_validate(data.options)
    clips, seen = [], dict.fromkeys(_SUBJECTS, 0)
    try:
        with tarfile.open(archive, "r|xz") as tar:
            for member in tar:
                key = Path(member.name).stem
                if not member.name.endswith(".bvh"):
                    continue
                number = seen[key[:2]] = seen[key[:2]] + 1
                if split != ("test" if number % 4 == 0 else "val" if number % 8 == 3 else "train"):
                    continue
                file = tar.extractfile(member)
                text = file.read().decode("ascii", "replace") if file else ""
                # Frame 0 of this conversion is a rest pose, not part of the motion.
                frames = features_of(parse_bvh(text, key, fps=options.fps, skip=1), key)
                theme = _THEME_OF.get(key) or _THEME_OF[key[:2]]
                labels = {"subject": key[:2], "theme": theme}
                clips.append(Clip(frames, key, labels=labels))
    except (OSError, EOFError, KeyError, tarfile.TarError, lzma.LZMAError) as error:
        raise InputError(f"{archive}: cannot be read: {error}") from error
    return SlidingWindows(
        [c for c in clips if len(c.frames) >= data.length],
        data.length,
        stride=max(1, data.length // 4),
        labels=LABELS,
    )


CMU = DatasetSpec(
    "cmu",
    "motion capture of seven people: walking, running, dance, basketball and more",
    LABELS,
    cmu_sequences,
    folder="cmu_mocap",
    source="https://mocap.cs.cmu.edu, subjects 02, 03 and 05 to 09 as BVH, in one cmu_mocap_bvh.tar.xz",
    licence="CMU's terms: free for research and products, the data are not to be resold",
    credit="mocap.cs.cmu.edu, whose database was created with funding from NSF EIA-0196217",
)


# --- The modality: all that seqdis asks for.
class MocapOptions(Config):
    fps: float = Field(30.0, gt=0, description="frames a second that recordings are thinned to")


_LIMBS = {"Left": "tab:blue", "Right": "tab:red", "": "0.25"}
_VIEW = math.radians(35.0)


def mocap() -> RunConfig:
    """CMU's recordings: windows of 24 poses, for a CPU."""
    return RunConfig(
        preset="mocap",
        modality="mocap",
        method="diffsda",
        data=DataConfig(
            dataset="cmu", length=24, frame_shape=(FEATURES,), normalize="channel", options={"fps": 30.0}
        ),
        model=DiffSDAConfig(
            static_dim=32,
            dynamic_dim=12,
            hidden_dim=128,
            encoder=BackboneConfig(kind="mlp", channels=128, multipliers=(2, 2)),
            denoiser=BackboneConfig(kind="mlp", channels=128, multipliers=(2, 2, 2)),
            sampler=EDMConfig(steps=18),
        ),
        train=TrainConfig(
            steps=1500, batch_size=32, lr=1e-3, ema_decay=0.998, eval_every=500, save_every=500
        ),
    )


class MocapModality(Modality):
    """Frames are poses ``(FEATURES,)`` of CMU's skeleton; see :func:`features_of`."""

    name = "mocap"
    summary = "motion capture: a pose of the body a step"
    reads = (".bvh",)
    writes = (".bvh",)
    pictures = (".png", ".gif")
    options_class = MocapOptions

    def datasets(self) -> Mapping[str, DatasetSpec]:
        return {"cmu": CMU}

    def presets(self) -> Mapping[str, Callable[[], RunConfig]]:
        return {"mocap": mocap}

    def read(self, path: Path, data: DataConfig) -> Clip:
        self.check_suffix(path, self.reads, "read")
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{path}: cannot be read as BVH: {error}") from error
        return Clip(features_of(parse_bvh(text, str(path), fps=self.options(data).fps), str(path)), path.name)

    def write(
        self, path: Path, frames: Tensor, data: DataConfig, *, source: DynamicsSource | None = None
    ) -> None:
        self.check_suffix(path, self.writes, "write")
        with replace_file(path) as partial:
            partial.write_text(bvh_text(skeleton_of(frames, 1 / self.options(data).fps)), encoding="ascii")

    def draw(self, path: Path, grid: Sequence[Sequence[Panel]], data: DataConfig) -> None:
        """Stick figures, left limbs blue and right ones red: strips of eight poses, or a moving gif."""
        moving = self.check_suffix(path, self.pictures, "draw") == ".gif"
        columns = max(len(row) for row in grid)
        figure = Figure(figsize=((2.2 if moving else 5.4) * columns, 1.7 * len(grid)), layout="constrained")
        axes = figure.subplots(len(grid), columns, squeeze=False)
        for axis in axes.flat:
            axis.set(aspect="equal", xlim=(-14, 14) if moving else (-10, 150), ylim=(-2, 36))
            axis.set_axis_off()
        shown = [
            (axes[i, j], _flat(panel.frames)) for i, row in enumerate(grid) for j, panel in enumerate(row)
        ]
        for (axis, _), panel in zip(shown, (panel for row in grid for panel in row), strict=True):
            axis.set_title(panel.title, fontsize=9)
            axis.axhline(0, color="0.8", linewidth=1)
        with replace_file(path) as partial:
            if not moving:
                for axis, points in shown:
                    for column, step in enumerate(np.linspace(0, len(points) - 1, 8).round().astype(int)):
                        axis.add_collection(_sticks(points[step] + (20 * column, 0)))
                figure.savefig(partial, dpi=110)
                return
            writer = PillowWriter(fps=round(self.options(data).fps / 2))
            with writer.saving(figure, str(partial), dpi=60):
                for step in range(0, max(len(points) for _, points in shown), 2):
                    poses = [
                        axis.add_collection(_sticks(points[min(step, len(points) - 1)]))
                        for axis, points in shown
                    ]
                    writer.grab_frame()
                    for pose in poses:
                        pose.remove()


def _flat(frames: Tensor) -> np.ndarray:
    """Joints as seen obliquely from the front, the hips kept in the middle, ``(T, J, 2)``."""
    bvh = skeleton_of(frames)
    points = forward_kinematics(bvh.rotations, bvh.root, bvh.offsets, bvh.parents)
    points[..., ::2] -= bvh.root[:, None, ::2]
    across = points[..., 0] * math.cos(_VIEW) - points[..., 2] * math.sin(_VIEW)
    return np.stack([across, points[..., 1]], axis=-1)


def _sticks(points: np.ndarray) -> LineCollection:
    bones = [joint for joint in range(1, len(JOINTS)) if joint in BONES]
    colours = [next(c for side, c in _LIMBS.items() if JOINTS[joint].startswith(side)) for joint in bones]
    lines = [(points[PARENTS[joint]], points[joint]) for joint in bones]
    return LineCollection(lines, colors=colours, linewidths=1.6, capstyle="round")
