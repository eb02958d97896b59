from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from seqdis.core.data.discovery import describe_left_out, find_inputs, is_run_folder
from seqdis.core.errors import InputError
from seqdis.core.modality import Modality
from seqdis.core.registry import get_modality


@pytest.fixture
def toy() -> Modality:
    return get_modality("toy")


def write(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.zeros((4, 8), dtype=np.float32))
    return path


def test_inputs_are_found_below_folders_in_order(tmp_path: Path, toy: Modality) -> None:
    paths = [write(tmp_path / name) for name in ("a.npy", "b/c.NPY.npy", "b/d.npy")]
    (tmp_path / ".hidden.npy").write_text("")
    assert find_inputs(toy, [tmp_path]).paths == tuple(paths)
    assert find_inputs(toy, [paths[2], paths[0]]).paths == (paths[2], paths[0])


def test_inputs_that_cannot_be_read_are_told(tmp_path: Path, toy: Modality) -> None:
    with pytest.raises(InputError, match=r"absent: no such file or folder"):
        find_inputs(toy, [tmp_path / "absent"])
    with pytest.raises(InputError, match=r"holds no file that toy reads; known: \.npy$"):
        find_inputs(toy, [tmp_path])
    (tmp_path / "x.doc").write_text("")
    with pytest.raises(InputError, match=r"x\.doc: unknown kind of file '\.doc'; toy reads: \.npy"):
        find_inputs(toy, [tmp_path / "x.doc"])
    with pytest.raises(InputError, match=r"known: \.npy \(1 files of other kinds: 1 \.doc\)"):
        find_inputs(toy, [tmp_path])


def test_files_of_other_kinds_are_counted_by_suffix(tmp_path: Path, toy: Modality) -> None:
    write(tmp_path / "a.npy")
    for name in ("b.doc", "c.DOC", "sub/d.xyz", "noend", "README.md", "labels.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    found = find_inputs(toy, [tmp_path])
    assert describe_left_out(found.left_out) == ["4 files of other kinds: 2 .doc, 1 .xyz, 1 no suffix"]


def test_a_file_counts_once_however_many_links_lead_to_it(tmp_path: Path, toy: Modality) -> None:
    real = write(tmp_path / "clips" / "m.npy")
    (tmp_path / "clips" / "a.npy").symlink_to(real)
    (tmp_path / "clips" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again").symlink_to(tmp_path / "clips", target_is_directory=True)
    found = find_inputs(toy, [tmp_path])
    assert found.paths == (real,)
    assert "links to what is there already" in "; ".join(describe_left_out(found.left_out))
    assert find_inputs(toy, [real, real, tmp_path / "clips" / "a.npy"]).paths == (real,)


def test_folders_of_runs_are_left_out_and_named(tmp_path: Path, toy: Modality) -> None:
    clip, run = write(tmp_path / "a.npy"), tmp_path / "runs" / "x"
    write(run / "swap" / "swap.npy")
    (run / "config.json").write_text(json.dumps({"preset": "p", "method": "m", "modality": "toy"}))
    found = find_inputs(toy, [tmp_path])
    assert found.paths == (clip,)
    assert describe_left_out(found.left_out) == [f"1 folders of runs: {run}"]
    (run / "config.json").write_text(json.dumps({"of": "something else"}))
    assert not is_run_folder(run)
    assert len(find_inputs(toy, [tmp_path]).paths) == 2
