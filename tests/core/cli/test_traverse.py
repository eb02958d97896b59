from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import Result

from seqdis.core.analysis import prior_components
from seqdis.core.disentangler import Disentangler

Command = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture(autouse=True)
def _few_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prior_components, "DRAWS", 256)


def test_pictures_media_and_a_record_of_what_moves(
    seqdis: Command, prior_run: Path, recordings: Path, tmp_path: Path
) -> None:
    out = tmp_path / "t"
    words = ["traverse", prior_run, recordings / "a.npy", "--factor", "static", "--component", 1, "--span", 3]
    result = seqdis(*words, "--points", 3, "--out", out, "--device", "cpu", "--json")
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    names = ["static-1.png", "static-1_+0.00.npy", "static-1_+3.00.npy", "static-1_-3.00.npy", "static.json"]
    assert sorted(p.name for p in out.iterdir()) == names
    assert json.loads((out / "static.json").read_text()) == said
    assert said["amounts"] == [-3.0, 0.0, 3.0]
    assert (out / "static-1.png").read_bytes().endswith(b"[1, 1, 1, 1]")
    x = torch.from_numpy(np.load(recordings / "a.npy"))[None]
    expected = Disentangler.from_pretrained(prior_run).reconstruct(x)[0]
    middle = torch.from_numpy(np.load(out / "static-1_+0.00.npy"))
    torch.testing.assert_close(middle, expected, atol=1e-3, rtol=1e-3)
    rows = said["components"]
    assert [row["component"] for row in rows] == list(range(8))
    assert sum(row["explained"] for row in rows) == pytest.approx(1)
    assert rows[-1]["cumulative"] == pytest.approx(1)
    assert set(rows[0]["labels"]) == {"level", "path"}
    assert rows[0]["labels"]["level"]["chance"] == pytest.approx(2 / 47)


def test_a_table_for_people_and_several_components(
    seqdis: Command, prior_run: Path, recordings: Path, tmp_path: Path
) -> None:
    words = ["traverse", prior_run, recordings / "a.npy", "--factor", "dynamic", "--points", 2]
    result = seqdis(*words, "--component", 0, "--component", 9, "--out", tmp_path / "t")
    assert result.exit_code == 0, result.output
    assert "principal components of 256 drawn dynamic factors" in result.stdout
    assert (tmp_path / "t" / "dynamic-9.png").is_file()
    listed = json.loads((tmp_path / "t" / "dynamic.json").read_text())["components"]
    assert [row["component"] for row in listed] == [*range(8), 9]


def test_components_are_computed_once(
    seqdis: Command, prior_run: Path, recordings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["traverse", prior_run, recordings / "a.npy", "--points", 2, "--out"]
    assert seqdis(*words, tmp_path / "one").exit_code == 0
    assert (prior_run / "prior" / "components-static.safetensors").is_file()
    monkeypatch.setattr(prior_components, "DRAWS", 0)  # drawing again would be refused
    assert seqdis(*words, tmp_path / "two").exit_code == 0
    one, two = (tmp_path / name / "static-0_+1.00.npy" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_without_labels_it_says_why(
    seqdis: Command, prior_run: Path, recordings: Path, tmp_path: Path
) -> None:
    config = json.loads((prior_run / "config.json").read_text())
    original = (prior_run / "config.json").read_text()
    config["data"]["dataset"] = "folder"
    (prior_run / "config.json").write_text(json.dumps(config))
    try:
        result = seqdis("traverse", prior_run, recordings / "a.npy", "--points", 2, "--out", tmp_path / "t")
    finally:
        (prior_run / "config.json").write_text(original)
    assert result.exit_code == 0, result.output
    assert "labels: not compared: dataset 'folder' needs --data FOLDER" in result.stdout


def test_bad_input_is_refused_with_one_line(
    refused: Refused, prior_run: Path, recordings: Path, tmp_path: Path
) -> None:
    a, out = recordings / "a.npy", tmp_path / "t"
    assert "the static factor has 8; allowed: 0 to 7" in refused(
        "traverse", prior_run, a, "--component", 8, "--out", out
    )
    assert refused("traverse", prior_run, a, "--span", 0, "--out", out) == "--span 0.0: must be above 0"
    assert "a folder is needed" in refused("traverse", prior_run, a, "--out", tmp_path / "x.png")
    assert "holds 3 inputs" in refused("traverse", prior_run, recordings, "--out", out)
    assert not [*tmp_path.iterdir()]
