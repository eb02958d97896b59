from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdis.core.data.discovery import describe_left_out, find_inputs
from seqdis.core.data.outputs import OUTPUTS_FILE, made_in, mark_outputs
from seqdis.core.registry import get_modality


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros((4, 8), dtype=np.float32))
    return path


def test_what_a_model_made_among_inputs_is_left_out_and_named(tmp_path: Path) -> None:
    clip = write(tmp_path / "clips" / "a.npy")
    made = [write(tmp_path / "clips" / "out" / name) for name in ("swap.npy", "more.npy")]
    for path in made:
        mark_outputs([path], near=[tmp_path / "clips"])
    found = find_inputs(get_modality("toy"), [tmp_path / "clips"])
    assert found.paths == (clip,)
    assert describe_left_out(found.left_out) == [f"2 files that a model made: {made[1]}, {made[0]}"]


def test_elsewhere_nothing_is_noted(tmp_path: Path) -> None:
    made = write(tmp_path / "out" / "swap.npy")
    mark_outputs([made], near=[tmp_path / "clips"])
    assert not (tmp_path / "out" / OUTPUTS_FILE).exists()
    assert made_in(tmp_path / "out") == frozenset()


def test_what_is_gone_is_forgotten(tmp_path: Path) -> None:
    first, second = write(tmp_path / "1.npy"), write(tmp_path / "2.npy")
    mark_outputs([first], near=[tmp_path])
    first.unlink()
    mark_outputs([second], near=[tmp_path])
    assert made_in(tmp_path) == {"2.npy"}


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"files": 3}'])
def test_a_damaged_list_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / OUTPUTS_FILE).write_text(content)
    assert made_in(tmp_path) == frozenset()
