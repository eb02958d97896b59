from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from seqdis.core import registry
from seqdis.core.disentangler import Disentangler
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.results import ResultRecord

Command = Callable[..., Result]
Refused = Callable[..., str]
WORDS = ("demo", "--modality", "toy", "--device", "cpu")


@pytest.fixture
def no_scorer(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without seqdis-eval."""
    real = registry.list_plugins
    monkeypatch.setattr(registry, "list_plugins", lambda group: [] if group == "scorers" else real(group))


@pytest.mark.usefixtures("no_scorer")
def test_what_a_demo_leaves(seqdis: Command, refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    result = seqdis(*WORDS, "--out", out, "--seed", 5)
    assert result.exit_code == 0, result.output
    assert "that needs the package seqdis-eval" in result.stdout
    names = {p.name for p in out.iterdir()}
    media = {f"{name}_{side}.npy" for name in ("source", "reconstruction") for side in "ab"}
    assert names >= {
        "config.json",
        "model.safetensors",
        "swap.png",
        "metrics.json",
        *media,
        "swap_a_b.npy",
        "swap_b_a.npy",
    }
    assert (out / "swap.png").read_bytes().endswith(b"[4, 4, 4, 4, 4, 4]")
    record = ResultRecord.load(out / "metrics.json")
    assert (record.name, record.dataset, record.seed) == ("demo-toy", "ramps", 5)
    assert record.command == "seqdis demo --modality toy --seed 5"
    assert {"probe_level_from_static", "probe_path_from_dynamic"} <= set(record.metrics)
    for name in record.metrics:
        assert name in result.stdout
    config = Disentangler.from_pretrained(out).run_config
    assert config is not None
    assert config.train.seed == 5

    # A second one does not overwrite the first unless it is told to; a person's own files stay.
    own = out / "notes.txt"
    own.write_text("mine")
    before = (out / "metrics.json").read_text()
    said = refused(*WORDS, "--out", out)
    assert (
        said == f"--out {out}: is not empty; name another folder, or add --force to replace an earlier demo"
    )
    assert (out / "metrics.json").read_text() == before
    again = seqdis(*WORDS, "--out", out, "--seed", 6, "--force", "--json", "--set", "train.steps=2")
    assert again.exit_code == 0, again.output
    said_json = json.loads(again.stdout)
    assert (said_json["schema"], said_json["seed"]) == ("seqdis.result.2", 6)
    assert said_json["command"].endswith("--seed 6 --set train.steps=2")
    assert own.read_text() == "mine"


def test_the_scorer_is_asked_and_its_figures_are_kept(
    seqdis: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = {}

    def score(
        model: object, train_set: object, test_set: object, *, seed: int, pairs: int, progress: Callable
    ) -> Metrics:
        sizes = (len(train_set), len(test_set))  # type: ignore[arg-type]
        asked.update(model=model, sizes=sizes, seed=seed, pairs=pairs)
        progress(1, 1)
        accuracy = Estimate(value=0.9, unit="share", chance=0.125, ci95=(0.85, 0.95), n=100)
        return Metrics.of({"swap_joint_accuracy": accuracy}, role="swap")

    real = registry.list_plugins
    monkeypatch.setattr(
        registry, "list_plugins", lambda group: ["swap"] if group == "scorers" else real(group)
    )
    monkeypatch.setattr(registry, "get_plugin", _only_scorers(score, registry.get_plugin))
    result = seqdis(*WORDS, "--out", tmp_path / "d", "--set", "train.steps=2")
    assert result.exit_code == 0, result.output
    assert isinstance(asked["model"], Disentangler)
    assert (asked["sizes"], asked["seed"], asked["pairs"]) == ((96, 48), 0, 48)
    row = next(line for line in result.stdout.splitlines() if "swap_joint_accuracy" in line)
    assert row.split() == ["swap_joint_accuracy", "0.900", "0.850", "-", "0.950", "0.125"]
    assert ResultRecord.load(tmp_path / "d" / "metrics.json").metrics["swap_joint_accuracy"].n == 100


def _only_scorers(score: object, real: Callable[[str, str], object]) -> Callable[[str, str], object]:
    return lambda group, name: score if group == "scorers" else real(group, name)


def test_a_modality_without_a_demo_and_one_that_is_not_there(
    refused: Refused, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert refused("demo", "--modality", "tyo", "--out", tmp_path / "d").startswith("unknown modality 'tyo'")
    monkeypatch.setattr(type(registry.get_modality("toy")), "demo", lambda self: None)
    said = refused("demo", "--modality", "toy", "--out", tmp_path / "d")
    assert said == "modality 'toy' has no demo; `seqdis list modalities` says which have"
    file = tmp_path / "file"
    file.write_text("")
    monkeypatch.undo()
    assert not (tmp_path / "d").exists()


def test_out_may_not_be_a_file(refused: Refused, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    assert refused(*WORDS, "--out", file) == f"{file}: is a file; a folder is needed"
