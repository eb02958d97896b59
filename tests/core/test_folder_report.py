from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from seqdis.core.config import RunConfig, apply_overrides
from seqdis.core.data.folder import folder_sequences
from seqdis.core.folder_report import Spread, example_panels, report_folder
from seqdis.core.registry import get_modality, get_preset


def config(*changes: str) -> RunConfig:
    return apply_overrides(get_preset("toy-folder"), list(changes))


def fill(root: Path, lengths: dict[str, int]) -> None:
    for name, steps in lengths.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        np.save(root / name, np.full((steps, 8), steps, dtype=np.float32))


def test_the_report_says_what_training_reads(tmp_path: Path) -> None:
    lengths = {f"p{i % 4}/{i}.npy": 6 + i for i in range(60)} | {"p0/one.npy": 1}
    fill(tmp_path, lengths)
    (tmp_path / "notes.doc").write_text("")
    (tmp_path / "p1" / "broken.npy").write_bytes(b"no array")
    report = report_folder(config("group=folder"), tmp_path)
    assert (report.files, report.recordings, report.missing) == (60, 60, 0.0)
    assert report.steps == Spread(6, 35.5, 65)
    assert sorted(left.reason for left in report.left_out) == ["damaged", "kind", "short"]
    assert "by folder, 4 groups" in report.rule
    assert any("--skip-bad" in sentence for sentence in report.advice)
    data = config("group=folder", "skip_bad=true").data
    for name, size in report.splits.items():
        assert size.windows == len(folder_sequences(get_modality("toy"), data, name, tmp_path))
    assert sum(size.recordings for size in report.splits.values()) == 60
    assert (
        json.loads(json.dumps(report.as_json()))["splits"]["train"]["windows"]
        == report.splits["train"].windows
    )


def test_folders_that_may_be_groups_are_pointed_out(tmp_path: Path) -> None:
    fill(tmp_path, {f"p{i % 4}/{i}.npy": 9 for i in range(40)})
    assert any(
        "group=folder keeps each of the 4 folders" in s for s in report_folder(config(), tmp_path).advice
    )
    assert not any("group=" in s for s in report_folder(config("group=folder"), tmp_path).advice)


def test_what_is_shorter_than_a_sequence_is_counted(tmp_path: Path) -> None:
    fill(tmp_path, {"a.npy": 3, "b.npy": 4, "c.npy": 30})
    report = report_folder(config(), tmp_path)
    assert any("2 recordings are shorter than length=6" in sentence for sentence in report.advice)
    assert {fit.preset: fit.whole for fit in report.fits}["toy-folder"] == 1


def test_the_sequences_of_the_picture_are_those_of_training(tmp_path: Path) -> None:
    fill(tmp_path, {f"{i}.npy": 4 + i for i in range(9)})
    panels = example_panels(config(), tmp_path)
    assert len(panels) == 4
    for panel in panels:
        steps = int(panel.frames[0, 0])
        assert panel.frames.shape == (min(6, steps), 8)
