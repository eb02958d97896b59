from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.data.preparation import PreparedFolder, prepare_folder
from seqdis.core.errors import InputError
from seqdis.core.registry import get_modality

TOY = get_modality("toy")
STEPS = {"a.npy": 5, "deep/b.npy": 6, "deep/er/c.npy": 9}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "in"
    for name, steps in STEPS.items():
        _save(folder / name, steps)
    return folder


def _save(path: Path, steps: int, value: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.full((steps, 8), value, dtype=np.float32))


def _prepare(
    source: Path, out: Path, *, workers: int = 1, force: bool = False, **options: object
) -> PreparedFolder:
    return prepare_folder(TOY, source, out, options, workers=workers, force=force)


def _lengths(out: Path) -> dict[str, int]:
    return {path.relative_to(out).as_posix(): len(np.load(path)) for path in sorted(out.rglob("*.npy"))}


def _names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("workers", [1, 2])
def test_every_file_is_prepared_under_the_same_path(source: Path, tmp_path: Path, workers: int) -> None:
    result = _prepare(source, tmp_path / "out", workers=workers, every=3)
    assert result == PreparedFolder(3, 0, (), ())
    assert _lengths(tmp_path / "out") == {name: -(-steps // 3) for name, steps in STEPS.items()}
    assert _names(tmp_path / "out") == {*STEPS, "prepared.jsonl"}


def test_what_is_complete_is_not_made_again(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _prepare(source, out)
    before = {name: (out / name).stat().st_mtime_ns for name in STEPS}
    assert _prepare(source, out) == PreparedFolder(0, 3, (), ())
    assert {name: (out / name).stat().st_mtime_ns for name in STEPS} == before


def test_what_is_missing_new_or_changed_is_made(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _prepare(source, out)
    (out / "a.npy").unlink()
    _save(source / "deep/b.npy", 20)
    _save(source / "d.npy", 4)
    assert _prepare(source, out) == PreparedFolder(3, 1, (), ())
    assert _lengths(out) == {"a.npy": 3, "d.npy": 2, "deep/b.npy": 10, "deep/er/c.npy": 5}


def test_after_a_kill_the_rest_is_made_and_nothing_half_written_is_left(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _prepare(source, out)
    record = out / "prepared.jsonl"
    lines = record.read_text().splitlines(keepends=True)
    assert len(lines) == 4
    # What a kill can leave: a line that is cut short, a file that is not noted yet, and one that is half made.
    record.write_text("".join(lines[:2]) + lines[2][:20])
    (out / ".partial" / "a.npy").mkdir(parents=True)
    (out / ".partial" / "a.npy" / "a.npy").write_bytes(b"half of it")
    assert _prepare(source, out) == PreparedFolder(2, 1, (), ())
    assert _names(out) == {*STEPS, "prepared.jsonl"}
    assert record.read_text().count("\n") == 4


def test_what_fails_is_listed_and_tried_again(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _save(source / "deep/bad.npy", 3, value=666)
    (source / "torn.npy").write_bytes(b"\x93NUMPY")
    result = _prepare(source, out)
    assert result.prepared == 3
    assert [one.source for one in result.failed] == ["deep/bad.npy", "torn.npy"]
    assert result.failed[0].reason == "holds the number of the beast"
    listed = json.loads((out / "failed.json").read_text())
    assert [row["source"] for row in listed] == ["deep/bad.npy", "torn.npy"]
    assert _names(out) == {*STEPS, "prepared.jsonl", "failed.json"}
    _save(source / "deep/bad.npy", 3)
    (source / "torn.npy").unlink()
    assert _prepare(source, out) == PreparedFolder(1, 3, (), ())
    assert not (out / "failed.json").exists()


def test_a_file_that_was_fine_and_is_damaged_now_leaves_nothing_old(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _prepare(source, out)
    _save(source / "a.npy", 3, value=666)
    assert [one.source for one in _prepare(source, out).failed] == ["a.npy"]
    assert not (out / "a.npy").exists()


def test_a_process_that_dies_takes_one_file_along(source: Path, tmp_path: Path) -> None:
    for index in range(4):
        _save(source / f"more{index}.npy", 4)
    result = _prepare(source, tmp_path / "out", workers=2, deadly="b.npy")
    assert result.prepared == 6
    assert [(one.source, one.reason) for one in result.failed] == [
        ("deep/b.npy", "the process that worked on it died (exit code 3)")
    ]


def test_other_options_are_refused_unless_all_is_made_anew(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _prepare(source, out, every=2)
    with pytest.raises(
        InputError, match=r"out: was prepared with every=2 \(now 3\); give another folder, or --force"
    ):
        _prepare(source, out, every=3)
    assert _lengths(out)["deep/er/c.npy"] == 5
    assert _prepare(source, out, every=3, force=True) == PreparedFolder(3, 0, (), ())
    assert _lengths(out)["deep/er/c.npy"] == 3


def test_force_takes_away_what_was_prepared_before(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _prepare(source, out, every=2)
    _save(source / "a.npy", 3, value=666)
    _prepare(source, out, every=3, force=True)
    assert set(_lengths(out)) == STEPS.keys() - {"a.npy"}


def test_a_damaged_record_is_an_error_that_names_the_way_out(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _prepare(source, out)
    (out / "prepared.jsonl").write_text("{}\n")
    with pytest.raises(
        InputError,
        match=r"prepared\.jsonl: cannot be read as the record of a preparation: .*; --force prepares all files anew",
    ):
        _prepare(source, out)
    assert _prepare(source, out, force=True).prepared == 3


def test_files_whose_source_is_gone_are_kept_and_named(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _prepare(source, out)
    (source / "a.npy").unlink()
    assert _prepare(source, out) == PreparedFolder(0, 2, ("a.npy",), ())
    assert (out / "a.npy").exists()


@pytest.mark.parametrize("force", [False, True])
def test_a_folder_of_other_things_is_left_alone(source: Path, tmp_path: Path, force: bool) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "diary.txt").write_text("mine")
    with pytest.raises(InputError, match="holds files that were not prepared by this command"):
        _prepare(source, out, force=force)
    assert _names(out) == {"diary.txt"}


@pytest.mark.parametrize("out", [".", "deep", "new", "deep/new", ".."])
def test_a_folder_in_the_other_is_refused(source: Path, out: str) -> None:
    before = _names(source.parent)
    with pytest.raises(InputError, match="one lies in the other"):
        _prepare(source, source / out)
    assert _names(source.parent) == before


def test_two_files_that_would_become_one_are_refused(source: Path, tmp_path: Path) -> None:
    (source / "a.NPY").write_bytes((source / "a.npy").read_bytes())
    with pytest.raises(
        InputError, match=r"a\.NPY and .*a\.npy: both would become a\.npy; rename one of them"
    ):
        _prepare(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_to_the_source_is_the_source(source: Path, tmp_path: Path) -> None:
    os.symlink(source, tmp_path / "link")
    with pytest.raises(InputError, match="one lies in the other"):
        _prepare(source, tmp_path / "link" / "out")


def test_labels_are_carried_to_what_is_prepared(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    _save(source / "bad.npy", 3, value=666)
    rows = {name: {"who": f"person {i}"} for i, name in enumerate([*STEPS, "bad.npy"])}
    (source / "labels.json").write_text(json.dumps({"labels": {"who": "static"}, "clips": rows}))
    _prepare(source, out)
    carried = read_folder_labels(out)
    assert carried is not None
    assert carried.clips == {name: rows[name] for name in STEPS}
    assert carried.labels["who"].factor == "static"
    # A second batch of files in place of the first: the labels of both are there.
    for name in STEPS:
        (source / name).unlink()
    _save(source / "later.npy", 4)
    (source / "labels.json").write_text(
        json.dumps(
            {"labels": {"who": "static"}, "clips": {"later.npy": {"who": "x"}, "bad.npy": {"who": "y"}}}
        )
    )
    _prepare(source, out)
    carried = read_folder_labels(out)
    assert carried is not None
    assert carried.clips == {name: rows[name] for name in STEPS} | {"later.npy": {"who": "x"}}


def test_damaged_labels_are_refused_before_anything_is_written(source: Path, tmp_path: Path) -> None:
    (source / "labels.json").write_text("{")
    with pytest.raises(InputError, match=r"labels\.json"):
        _prepare(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_single_file_is_prepared_alone(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert _prepare(source / "deep/b.npy", out).prepared == 1
    assert _lengths(out) == {"b.npy": 3}


def test_progress_counts_what_is_to_do(source: Path, tmp_path: Path) -> None:
    calls: list[tuple[int, int]] = []
    prepare_folder(TOY, source, tmp_path / "out", {}, workers=1, progress=lambda a, b: calls.append((a, b)))
    assert calls == [(1, 3), (2, 3), (3, 3)]


def test_the_files_about_a_folder_are_no_data(source: Path, tmp_path: Path) -> None:
    from seqdis.core.data.discovery import find_inputs

    _save(source / "bad.npy", 3, value=666)
    _prepare(source, tmp_path / "out")
    assert find_inputs(TOY, [tmp_path / "out"]).left_out == ()
