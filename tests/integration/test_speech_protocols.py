"""``seqdis eval speaker`` and ``content`` on sounds, with a model before any training."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.data.sound import Sound
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.results import ResultRecord
from seqdis.eval.metrics import dnsmos
from seqdis.eval.metrics.dnsmos import OpinionScore


def seqdis(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("speech") / "run"
    build_model(get_preset("diffsda-tones")).save_pretrained(folder)
    return folder


class _Level(torch.nn.Module):
    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        return torch.stack([samples.mean(1), samples.std(1)], dim=1)


class _Opinion:
    def __call__(self, sound: Sound) -> OpinionScore:
        return OpinionScore(3.0, 3.0, 3.0, 3.0)


def test_a_run_is_verified_and_heard(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dnsmos, "DNSMOS", _Opinion)  # its networks have tests of their own
    torch.jit.script(_Level()).save(str(tmp_path / "level.pt"))
    out = tmp_path / "speech.json"
    words = ("--identity", "timbre", "--listen", "3", "--voices", tmp_path / "level.pt", "--steps", "2")
    result = seqdis("eval", "speaker", run, *words, "--mode", "published", "--seeds", "2", "--out", out)
    assert result.exit_code == 0, result.output
    record = ResultRecord.load(out)
    assert (record.protocol, record.mode) == ("speaker", "published")
    assert list(record.metrics)[:7] == [
        "eer_static", "eer_dynamic", "eer_gap", "eer_frames", "mse", "decoding_mse", "dnsmos"
    ]  # fmt: skip
    assert record.metrics["eer_static"].n == 360
    assert {"csim", "csim_reconstruction", "p835_overall@swap"} <= record.metrics.keys()
    for word in ("--identity timbre", "--listen 3", "--steps 2", "--mode published"):
        assert word in record.command
    page = (tmp_path / "speech.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<audio[^>]*", page)) == 3 * 3  # no recording is kept of what is generated
    assert "swap: these words in that voice" in page
    kept = json.loads((run / "eval" / "speaker" / "pairs.json").read_text(encoding="utf-8"))
    assert (kept["seed"], len(kept["pairs"])) == (0, kept["clips"])  # one list for both seeds


def test_without_listening_nothing_more_is_needed(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> None:
        raise AssertionError("not asked for")

    monkeypatch.setattr(dnsmos, "DNSMOS", absent)
    result = seqdis("eval", "speaker", run, "--identity", "timbre", "--listen", "0", "--steps", "2", "--json")
    assert result.exit_code == 0, result.output
    metrics = json.loads(result.stdout)["metrics"]
    assert [metric["name"] for metric in metrics] == [
        "eer_static",
        "eer_dynamic",
        "eer_gap",
        "eer_frames",
        "mse",
        "decoding_mse",
    ]
    assert (run / "eval/speaker/report.html").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("speaker",),
            "speaker: the data have no label 'speaker' that says who; their labels: melody, timbre",
        ),
        (
            ("speaker", "--identity", "melody"),
            "speaker: label 'melody' is of the dynamics; allowed: one that says who",
        ),
        (
            ("content",),
            "{run}: content needs recordings with transcripts; method 'diffsda' on 'tones' has none",
        ),
    ],
)
def test_what_does_not_apply_is_refused_with_one_line(
    run: Path, words: tuple[str, ...], message: str
) -> None:
    result = seqdis("eval", words[0], run, *words[1:])
    assert (result.exit_code, result.stderr) == (2, f"error: {message.format(run=run)}\n")
