from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdis.core.config import DataConfig
from seqdis.core.data.folder import folder_sequences
from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.core.registry import get_modality

DATA = DataConfig(dataset="folder", length=4, frame_shape=(8,))
FACTORS = {"subject": "static", "action": "dynamic"}


def fill(root: Path, names: list[str]) -> None:
    """A clip a name ``<subject>_<action>.npy``, and the labels that say so."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(root / name, np.zeros((9, 8), dtype=np.float32))
    clips = {
        name: dict(zip(("subject", "action"), Path(name).stem.split("_"), strict=True)) for name in names
    }
    (root / "labels.json").write_text(json.dumps({"labels": FACTORS, "clips": clips}))


def test_labels_come_with_the_clips_of_every_split(tmp_path: Path) -> None:
    fill(tmp_path, ["train/bob_wave.npy", "train/ann_sit.npy", "val/bob_sit.npy", "test/ann_wave.npy"])
    toy = get_modality("toy")
    found: dict[str, list[tuple[int, int]]] = {}
    for split in ("train", "val", "test"):
        data = folder_sequences(toy, DATA, split, tmp_path)
        assert data.labels == {
            "subject": Label(("ann", "bob"), "static"),
            "action": Label(("sit", "wave"), "dynamic"),
        }
        labels = data.all_labels()
        found[split] = list(zip(labels["subject"].tolist(), labels["action"].tolist(), strict=True))
    assert found == {
        "train": [(0, 0), (0, 0), (1, 1), (1, 1)],
        "val": [(1, 0), (1, 0)],
        "test": [(0, 1), (0, 1)],
    }


def test_a_folder_without_the_file_has_no_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((9, 8), dtype=np.float32))
    assert read_folder_labels(tmp_path) is None
    assert folder_sequences(get_modality("toy"), DATA, "train", tmp_path).labels == {}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "labels.json: cannot be read as JSON"),
        ([], "must hold two objects, 'labels' and 'clips'"),
        ({"labels": {"a": "both"}, "clips": {}}, "label 'a' is of factor 'both'; allowed: static, dynamic"),
        (
            {"labels": FACTORS, "clips": {"x.npy": {"subject": 1}}},
            r"clip 'x.npy' has labels \['subject'\]; declared",
        ),
        ({"labels": FACTORS, "clips": {}}, "says nothing of 'x.npy'; every clip needs a line"),
    ],
)
def test_what_is_wrong_with_it_is_told(tmp_path: Path, content: Any, message: str) -> None:
    np.save(tmp_path / "x.npy", np.zeros((9, 8), dtype=np.float32))
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "labels.json").write_text(text)
    with pytest.raises(InputError, match=message):
        folder_sequences(get_modality("toy"), DATA, "train", tmp_path)
