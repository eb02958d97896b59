"""A modality that no package knows of: its files, its skeleton, and DiffSDA trained on it."""

from __future__ import annotations

import io
import math
import sys
import tarfile
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from seqdis.core.analysis import swap_pairs
from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.modality import Panel
from seqdis.core.registry import build_dataset, get_modality, get_preset, list_modalities
from seqdis.core.training import train

EXAMPLE = Path(__file__).parents[2] / "examples" / "custom_modality"

CHAIN = """HIERARCHY
ROOT Hips
{
    OFFSET 0 0 0
    CHANNELS 6 Xposition Yposition Zposition Zrotation Yrotation Xrotation
    JOINT Arm
    {
        OFFSET 2 0 0
        CHANNELS 3 Zrotation Yrotation Xrotation
        End Site
        {
            OFFSET 1 0 0
        }
    }
}
MOTION
Frames: 4
Frame Time: 0.0083333
0 10 0   0 0 0   0 0 0
1 10 5   90 0 0  0 0 0
0 10 0   0 90 0  90 0 0
0 10 0   0 0 90  0 30 0
"""


@pytest.fixture(scope="module")
def mocap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """The example as if it were installed: its own pyproject's entry points beside its module."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    site = tmp_path_factory.mktemp("site")
    info = site / "seqdis_mocap_example-0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 0\n")
    lines = [
        line
        for group, points in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {target}" for name, target in points.items()))
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    places = [str(site), str(EXAMPLE)]
    sys.path[:0] = places
    import mocap_modality

    yield mocap_modality
    for place in places:
        sys.path.remove(place)


def random_poses(module: ModuleType, steps: int, seed: int = 0) -> torch.Tensor:
    """Vectors of poses with proper rotations, ``(steps, FEATURES)``."""
    rng = np.random.default_rng(seed)
    turns = np.linalg.qr(rng.normal(size=(steps, len(module.TURNING), 3, 3)))[0]
    turns[..., 0] *= np.sign(np.linalg.det(turns))[..., None]
    # The hips' heading is kept apart: their left axis has no part along z once it is taken out.
    left = turns[:, 0, :, 0]
    yaw = np.arctan2(-left[:, 2], left[:, 0])
    back = np.zeros((steps, 3, 3))
    back[:, 0, 0] = back[:, 2, 2] = np.cos(yaw)
    back[:, 0, 2], back[:, 2, 0], back[:, 1, 1] = -np.sin(yaw), np.sin(yaw), 1
    turns[:, 0] = back @ turns[:, 0]
    six = turns[..., 1:].swapaxes(-1, -2).reshape(steps, -1)
    lengths = np.tile(rng.uniform(1, 3, size=len(module.BONES)), (steps, 1))
    motion = 0.2 * rng.normal(size=(steps, 3))
    return torch.from_numpy(np.column_stack([rng.uniform(10, 12, steps), motion, six, lengths])).float()


def test_it_is_found_by_its_entry_point(mocap: ModuleType) -> None:
    assert "mocap" in list_modalities()
    modality = get_modality("mocap")
    assert type(modality) is mocap.MocapModality
    assert get_preset("mocap").data.frame_shape == (mocap.FEATURES,)
    assert build_dataset.__module__ == "seqdis.core.registry"  # found by core, which has never heard of it


def test_bvh_and_forward_kinematics_by_hand(mocap: ModuleType) -> None:
    bvh = mocap.parse_bvh(CHAIN, "chain")
    assert bvh.names == ("Hips", "Arm", "Arm_End")
    assert bvh.parents == (-1, 0, 1)
    points = mocap.forward_kinematics(bvh.rotations, bvh.root, bvh.offsets, bvh.parents)
    half, root3 = 0.5, math.sqrt(3) / 2
    expected = [
        [(0, 10, 0), (2, 10, 0), (3, 10, 0)],
        [(1, 10, 5), (1, 12, 5), (1, 13, 5)],  # about z, x goes to y
        [(0, 10, 0), (0, 10, -2), (0, 11, -2)],  # about y, x goes to -z; then y stays
        [(0, 10, 0), (2, 10, 0), (2 + root3, 10 + half, 0)],  # Rx(90°)·Ry(30°)·x: -z goes to y
    ]
    np.testing.assert_allclose(points, expected, atol=1e-12)


def test_the_order_of_rotations_is_the_file_s(mocap: ModuleType) -> None:
    rotation = pytest.importorskip("scipy.spatial.transform").Rotation
    angles = np.random.default_rng(0).uniform(-180, 180, size=(5, 3))
    for order in ("ZYX", "XYZ", "YXZ"):
        channels = " ".join(f"{axis}rotation" for axis in order)
        head = f"HIERARCHY\nROOT A\n{{\nOFFSET 0 0 0\nCHANNELS 3 {channels}\n}}\nMOTION\nFrames: 5\nFrame Time: 0.01\n"
        text = head + "\n".join(" ".join(map(repr, row)) for row in angles.tolist())
        ours = mocap.parse_bvh(text, "order").rotations[:, 0]
        np.testing.assert_allclose(
            ours, rotation.from_euler(order, angles, degrees=True).as_matrix(), atol=1e-12
        )


def test_thinning_keeps_every_fourth_frame(mocap: ModuleType) -> None:
    whole, thin = mocap.parse_bvh(CHAIN, "chain"), mocap.parse_bvh(CHAIN, "chain", fps=60, skip=1)
    np.testing.assert_array_equal(thin.root, whole.root[1::2])
    assert thin.frame_time == pytest.approx(2 * 0.0083333)


def test_poses_to_bvh_and_back(mocap: ModuleType, tmp_path: Path) -> None:
    modality, data = mocap.MocapModality(), get_preset("mocap").data
    poses = random_poses(mocap, 12)
    modality.write(tmp_path / "a.bvh", poses, data)
    clip = modality.read(tmp_path / "a.bvh", data)
    assert clip.frames.shape == poses.shape
    torch.testing.assert_close(clip.frames[1:], poses[1:], atol=2e-4, rtol=0)
    torch.testing.assert_close(
        clip.frames[0, 4:], poses[0, 4:], atol=2e-4, rtol=0
    )  # motion needs a frame before


def test_features_do_not_know_place_and_direction(mocap: ModuleType) -> None:
    poses = random_poses(mocap, 9)
    bvh = mocap.skeleton_of(poses)
    angle = 1.1
    turn = np.array(
        [[math.cos(angle), 0, math.sin(angle)], [0, 1, 0], [-math.sin(angle), 0, math.cos(angle)]]
    )
    rotations = bvh.rotations.copy()
    rotations[:, 0] = turn @ rotations[:, 0]
    root = bvh.root @ turn.T + [5.0, 0.0, -7.0]
    moved = mocap.Bvh(bvh.names, bvh.parents, bvh.offsets, rotations, root, bvh.frame_time)
    torch.testing.assert_close(
        mocap.features_of(moved, "moved"), mocap.features_of(bvh, "here"), atol=1e-5, rtol=0
    )


def test_bones_keep_their_length_whatever_the_decoder_says(mocap: ModuleType) -> None:
    noisy = random_poses(mocap, 6)
    noisy[:, 4 : 4 + 6 * len(mocap.TURNING)] += 0.3 * torch.randn(6, 6 * len(mocap.TURNING))
    bvh = mocap.skeleton_of(noisy)
    points = mocap.forward_kinematics(bvh.rotations, bvh.root, bvh.offsets, bvh.parents)
    for k, bone in enumerate(mocap.BONES):
        length = np.linalg.norm(points[:, bone] - points[:, mocap.PARENTS[bone]], axis=-1)
        np.testing.assert_allclose(length, float(noisy[0, 4 + 6 * len(mocap.TURNING) + k]), rtol=1e-5)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("HIERARCHY", "SOMETHING", "cannot be read as BVH: no HIERARCHY and MOTION"),
        ("Frames: 4", "Frames: 5", "declares 5 frames of 9 channels; holds 4"),
        ("0 10 0   0 0 90  0 30 0\n", "0 10 0   0 0\n", "cannot be read as BVH"),
        ("0 10 0   0 0 0   0 0 0\n", "0 10 0   0 0 0   0 0 nan\n", "declares 4 frames of 9 channels"),
        ("Frame Time: 0.0083333", "", "cannot be read as BVH"),
    ],
)
def test_broken_bvh(mocap: ModuleType, old: str, new: str, message: str) -> None:
    assert old in CHAIN
    with pytest.raises(InputError, match=message) as error:
        mocap.parse_bvh(CHAIN.replace(old, new, 1), "broken.bvh")
    assert str(error.value).startswith("broken.bvh: ")
    assert "\n" not in str(error.value)


def test_another_skeleton_is_refused(mocap: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "chain.bvh").write_text(CHAIN)
    with pytest.raises(InputError, match=r"needs two frames and CMU's joints; .* lacks \['LeftUpLeg'"):
        get_modality("mocap").read(tmp_path / "chain.bvh", get_preset("mocap").data)


@pytest.fixture(scope="module")
def archive(mocap: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small archive of the dataset's form: four recordings each of two people."""
    root = tmp_path_factory.mktemp("cmu")
    with tarfile.open(root / "cmu_mocap_bvh.tar.xz", "w:xz") as tar:
        for name in (f"{subject}_{trial:02d}" for subject in ("07", "09") for trial in range(1, 5)):
            poses = random_poses(mocap, 160, seed=int(name.replace("_", "")))
            text = mocap.bvh_text(mocap.skeleton_of(poses, 1 / 120)).encode()
            info = tarfile.TarInfo(f"data/{name[:2]}/{name}.bvh")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
    return root


def test_whole_recordings_go_to_one_split(mocap: ModuleType, archive: Path) -> None:
    data, held = get_preset("mocap").data, {}
    for split in ("train", "val", "test"):
        dataset = build_dataset("mocap", data, split, root=archive)
        batch = dataset.fetch(range(len(dataset)))
        held[split] = {key.partition("@")[0] for key in batch.keys}
        for key, subject, theme in zip(
            batch.keys, batch.labels["subject"], batch.labels["theme"], strict=True
        ):
            assert dataset.labels["subject"].classes[subject] == key[:2]
            assert dataset.labels["theme"].classes[theme] == {"07": "walk", "09": "run"}[key[:2]]
    assert held == {
        "train": {"07_01", "07_02", "09_01", "09_02"},
        "val": {"07_03", "09_03"},
        "test": {"07_04", "09_04"},
    }


def test_training_and_swapping(mocap: ModuleType, archive: Path, tmp_path: Path) -> None:
    config = apply_overrides(
        get_preset("mocap"),
        [
            "train.steps=3",
            "batch_size=4",
            "sampler.steps=3",
            "hidden_dim=16",
            "denoiser.channels=8",
            "encoder.channels=8",
        ],
    )
    train_set, val_set = (
        build_dataset("mocap", config.data, split, root=archive) for split in ("train", "val")
    )
    train(config, tmp_path / "run", train_set=train_set, val_set=val_set, device="cpu", show_progress=False)
    model = Disentangler.from_pretrained(tmp_path / "run", modality="mocap")
    result = swap_pairs(model, val_set.fetch([0]), val_set.fetch([1]))
    assert result.a_static_b_dynamic.shape == (1, *val_set.shape)
    modality = get_modality("mocap")
    for name in ("swap.png", "swap.gif"):
        modality.draw(tmp_path / name, result.grid(), config.data)
        assert (tmp_path / name).stat().st_size > 5000
    modality.write(tmp_path / "swap.bvh", result.a_static_b_dynamic[0], config.data)
    assert modality.read(tmp_path / "swap.bvh", config.data).frames.shape == val_set.shape


def test_pictures_of_uneven_grids(mocap: ModuleType, tmp_path: Path) -> None:
    modality, data = get_modality("mocap"), get_preset("mocap").data
    panels = [Panel(str(i), random_poses(mocap, 5 + i, seed=i)) for i in range(3)]
    modality.draw(tmp_path / "a.png", [panels[:2], panels[2:]], data)
    with pytest.raises(InputError, match=r"mocap cannot draw '.jpg'; allowed: .png, .gif"):
        modality.draw(tmp_path / "a.jpg", [panels], data)


def test_the_recordings_themselves(mocap: ModuleType, dataset_folder: Callable[[str], Path]) -> None:
    dataset = build_dataset("mocap", get_preset("mocap").data, "val", root=dataset_folder("cmu_mocap"))
    batch = dataset.fetch(range(len(dataset)))
    assert len({key.partition("@")[0] for key in batch.keys}) >= 10
    bvh = mocap.skeleton_of(batch.x[0])
    points = mocap.forward_kinematics(bvh.rotations, bvh.root, bvh.offsets, bvh.parents)
    head, feet = mocap.JOINTS.index("Head_End"), mocap.JOINTS.index("LeftFoot")
    assert (points[:, head, 1] > points[:, feet, 1] + 15).all()  # people stand the right way up
