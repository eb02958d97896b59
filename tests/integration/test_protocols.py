"""The commands of the judged protocols on an untrained model, with a judge that learns for a moment."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.data.subset import Subset
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.results import ResultRecord
from seqdis.eval.cli import runs
from seqdis.eval.features import inception
from seqdis.eval.judge import judge_cache
from seqdis.eval.judge.judge_training import JudgeBudget
from seqdis.eval.protocols import generation

QUICK = {
    "swap": ("--pairs", "6"),
    "generation": ("--clips", "12"),
    "reconstruction": ("--clips", "6"),
    "consistency": ("--clips", "6"),
    "leakage": ("--score-clips", "0"),
    "traversal": ("--clips", "2", "--components", "1", "--points", "3", "--draws", "40"),
}


def seqdis(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--device", "cpu"])


@pytest.fixture(scope="module")
def splits() -> dict[str, Any]:
    """A few clips of each split; made once."""
    return {}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, splits: dict[str, Any]) -> None:
    whole, hasty = (
        runs.splits_of,
        partial(judge_cache.judge_for, budget=JudgeBudget(steps=3, check_every=3)),
    )

    def few(config: Any, data: Path | None) -> Any:
        if config.preset not in splits:
            splits[config.preset] = [Subset(part, range(90)) for part in whole(config, data)]
        return splits[config.preset]

    monkeypatch.setattr(runs, "splits_of", few)
    monkeypatch.setattr(judge_cache, "judge_for", hasty)
    monkeypatch.setattr(generation, "PUBLISHED_BATCH", 4)
    monkeypatch.setattr(generation, "PUBLISHED_REPEATS", 2)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a prior of its own."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("runs") / "s3vae-shapes"
    build_model(get_preset("s3vae-shapes")).save_pretrained(folder)
    (folder / "run.json").write_text('{"command": "seqdis train s3vae-shapes", "seconds": 1.5}')
    return folder


@pytest.mark.parametrize("name", sorted(QUICK))
@pytest.mark.parametrize("mode", ["corrected", "published"])
def test_a_protocol_leaves_its_figures_and_a_page(name: str, mode: str, drawn: Path) -> None:
    result = seqdis("eval", name, drawn, "--mode", mode, "--seeds", "1", *QUICK[name])
    assert result.exit_code == 0, result.output
    folder = drawn / "eval" / (name if mode == "corrected" else f"{name}-published")
    record = ResultRecord.load(folder / "metrics.json")
    assert (record.protocol, record.mode) == (name, mode)
    if "judge_accuracy" in record.metrics:
        assert record.metrics["judge_accuracy"].value < 0.99  # it has hardly learnt
        assert "note: the judge gets" in result.stderr
    assert record.command.startswith(f"seqdis train s3vae-shapes && seqdis eval {name} ")
    page = (folder / "report.html").read_text(encoding="utf-8")
    assert f"{mode} mode" in page
    assert ("data:image/gif" in page) == (name != "leakage")
    if name == "swap":
        kept = json.loads((drawn / "eval" / "swap" / "pairs.json").read_text())
        assert (kept["dataset"], kept["clips"], len(kept["pairs"])) == ("shapes", 90, 6)


def test_seeds_are_averaged_and_the_json_is_the_file(drawn: Path, tmp_path: Path) -> None:
    out = tmp_path / "g.json"
    result = seqdis("eval", "generation", drawn, "--clips", "8", "--seeds", "2", "--out", out, "--json")
    assert result.exit_code == 0, result.output
    record = ResultRecord.load(out)
    assert json.loads(result.stdout) == record.model_dump(mode="json")
    assert (record.metrics["accuracy"].seeds, record.metrics["accuracy"].n) == (2, 8)
    assert out.with_suffix(".html").is_file()


def test_feature_networks_are_used_and_named(drawn: Path, tmp_path: Path, scripts: ModuleType) -> None:
    points = scripts.written(scripts.Peaks(), tmp_path / "peaks.pt")
    plane = scripts.written(scripts.FirstPlane(), tmp_path / "plane.pt")
    out = tmp_path / "r.json"
    networks = ("--features", f"akd={points}", "--features", f"aed={plane}")
    result = seqdis("eval", "reconstruction", drawn, "--clips", "4", "--out", out, *networks)
    assert result.exit_code == 0, result.output
    record = ResultRecord.load(out)
    # Clips of one shape and colour among the four give a threshold.
    told = record.metrics.keys() - {"verification_accuracy"}
    assert told == {"mse", "akd", "akd_detected", "aed", "aed_detected", "csim"}
    assert f"--features akd={points} --features aed={plane}" in record.command
    assert "peaks.pt" in out.with_suffix(".html").read_text(encoding="utf-8")


@pytest.mark.full
def test_fid_of_swapped_frames_is_a_figure_of_the_result_and_of_the_page(
    drawn: Path, tmp_path: Path, scripts: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pytorch_fid", reason="the extra seqdis-eval[fid]")
    monkeypatch.setattr(inception, "WEIGHTS", replace(inception.WEIGHTS, sha256=""))
    file = scripts.inception_weights(tmp_path / "w.pth")
    out = tmp_path / "fid.json"
    result = seqdis("eval", "swap", drawn, "--pairs", "2", "--features", f"fid={file}", "--out", out)
    assert result.exit_code == 0, result.output
    record = ResultRecord.load(out)
    steps = get_preset("s3vae-shapes").data.length
    # An untrained model's frames are further from real ones than training clips are.
    assert record.metrics["fid"].value > record.metrics["fid_real"].value > 0
    assert record.metrics["fid"].n == record.metrics["fid_real"].n == 2 * steps
    page = out.with_suffix(".html").read_text(encoding="utf-8")
    assert inception.Inception.name in page
    assert all(f"{record.metrics[name].value:.4g}" in page for name in ("fid", "fid_real"))


def test_what_a_protocol_cannot_measure_is_refused_with_one_line(
    drawn: Path, tmp_path: Path, scripts: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    i3d = scripts.written(scripts.ClipNetwork(), tmp_path / "i3d.pt")
    torch.manual_seed(0)
    fitted = tmp_path / "diffsda-shapes"
    build_model(get_preset("diffsda-shapes")).save_pretrained(fitted)
    for words, message in (
        (
            ("generation", drawn, "--features", "fid"),
            "Inception (FID): no weights pt_inception-2015-12-05-6726825d",
        ),
        (("generation", drawn, "--features", f"fvd={i3d}"), "takes clips of 10 frames or more; got"),
        (
            ("generation", drawn, "--features", "psnr"),
            "unknown feature network 'psnr'; allowed: aed, akd, fid, fvd",
        ),
        (("generation", fitted), "has no prior yet; fit one by `seqdis prior fit"),
        (("traversal", drawn, "--points", "4"), "--points 4: must be odd"),
        (("consistency", drawn, drawn, "--out", tmp_path / "x.json"), "a run was given twice"),
    ):
        result = seqdis("eval", *words)
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith("error: ")
        assert message in result.stderr
        assert len(result.stderr.splitlines()) == 1


def test_data_without_labels_are_refused_where_a_judge_is_needed(tmp_path: Path) -> None:
    torch.manual_seed(0)
    folder = tmp_path / "series"
    build_model(get_preset("diffsda-waves")).save_pretrained(folder)
    bare = get_preset("diffsda-waves").data.dataset
    from seqdis.core.data.array_sequences import ArraySequences

    shape = (16, *get_preset("diffsda-waves").data.frame_shape)
    plain = [ArraySequences(torch.randn(30, *shape)) for _ in range(2)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "splits_of", lambda config, data: plain)
        for name in ("swap", "generation", "consistency", "leakage", "traversal"):
            result = seqdis("eval", name, folder)
            assert result.exit_code == 2, result.output
            assert f"{name} needs labels for a judge to learn" in result.stderr
            assert f"on {bare!r} has none" in result.stderr
