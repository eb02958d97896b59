"""The models that the repository gives away: what lies beside them, and that they do what their cards say."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from typer.testing import CliRunner

from seqdis.core import named_models
from seqdis.core.cli.app import app
from seqdis.core.errors import InputError
from seqdis.core.pretrained import config_of, load
from seqdis.core.publishing import CARD, RESULTS
from seqdis.core.registry import data_root, get_dataset
from seqdis.core.results import ResultRecord

HOME = Path(__file__).parents[2] / "models"
MODELS = sorted(path.parent for path in HOME.glob("*/config.json"))
MOST_BYTES = 40_000_000
CLOSE = 0.005


def test_all_models_together_are_small() -> None:
    assert sum(path.stat().st_size for path in HOME.rglob("*") if path.is_file()) < MOST_BYTES


@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_a_model_is_found_by_its_name_and_has_a_card(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(named_models.MODELS, str(HOME))
    config = config_of(load(folder.name))
    spec = get_dataset(config.modality, config.data.dataset)
    card = (folder / CARD).read_text()
    assert spec.derivatives
    for said in (f"# {folder.name}", spec.licence, spec.credit, "| command | `seqdis train", "| seed |"):
        assert said in card
    with safe_open(str(folder / "model.safetensors"), framework="pt") as weights:
        types = {weights.get_tensor(name).dtype for name in weights.keys()}  # noqa: SIM118
    assert torch.float16 in types
    for path in (folder / RESULTS).glob("*.json"):
        for metric in ResultRecord.load(path).metrics.values():
            assert not metric.ranks or metric.name in card


@pytest.mark.full
@pytest.mark.parametrize("folder", MODELS, ids=lambda path: path.name)
def test_a_model_does_what_its_card_says(folder: Path, tmp_path: Path) -> None:
    config = config_of(load(folder))
    try:
        root = data_root(get_dataset(config.modality, config.data.dataset))
    except InputError as error:
        pytest.skip(str(error))
    for path in sorted((folder / RESULTS).glob("*.json")):
        told = ResultRecord.load(path)
        words = shlex.split(told.command.rpartition(" && ")[2])
        assert words[:2] == ["seqdis", "eval"]
        words = words[1 : words.index("--out")]
        words[2] = str(folder)
        words += ["--out", str(tmp_path / path.name), *(["--data", str(root)] if root else [])]
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        again = ResultRecord.load(tmp_path / path.name)
        for key, metric in told.metrics.items():
            if metric.role == "swap":
                assert abs(again.metrics[key].value - metric.value) <= CLOSE, (key, json.dumps(words))
