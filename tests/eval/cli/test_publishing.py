"""What a measurement leaves, whatever the protocol: a file, a page, and the command that made it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from pydantic import Field
from tests.eval.conftest import Channels

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.results import ResultRecord
from seqdis.eval.cli.publishing import Publication, command_words, publish, record_path
from seqdis.eval.cli.runs import open_runs
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import ModeOption, NoiseOption, SeedsOption
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.report.blocks import Section, Text


class Words(Protocol):
    """Shows a text."""

    name = "words"

    class Options(NoiseOption, SeedsOption, ModeOption):
        quick: bool = False
        few_steps: int = 3
        layer: tuple[str, ...] = Field(())

    def measure(self, context: Context) -> Metrics:
        return Metrics()

    def sections(self, context: Context) -> list[Section]:
        return [Section("To look at", [Text("a picture of <swaps>")])]

    def remarks(self, context: Context, metrics: Metrics) -> list[str]:
        return ["nothing more"]


@pytest.fixture
def run(tmp_path: Path) -> OpenRun:
    folder = tmp_path / "run"
    folder.mkdir()
    about = {"command": "seqdis train tiny --out run", "seconds": 5.0}
    (folder / "run.json").write_text(json.dumps(about))
    config = RunConfig(
        preset="tiny",
        modality="timeseries",
        method="diffsda",
        data=DataConfig(dataset="waves", length=4, frame_shape=(4,)),
        model=DiffSDAConfig.model_construct(),
        train=TrainConfig(steps=1),
    )
    nothing = ArraySequences(torch.zeros(2, 4, 4))
    return OpenRun(folder, Channels().eval(), config, nothing, nothing)


def written(run: OpenRun, path: Path, *, judge: float | None = None) -> ResultRecord:
    metrics = Metrics.of(
        {} if judge is None else {"judge_accuracy": Estimate(value=judge, n=1000)}, role="judge"
    )
    share = Estimate(value=0.5, unit="share", chance=0.1, std=0.25, seeds=3)
    metrics |= Metrics.of({"swap_joint_accuracy": share}, role="swap")
    metrics |= Metrics.of({"mse": Estimate(value=2.0)}, role="reconstruction", case="edm 4")
    context = Context([run], Words.Options(mode="published", seeds=3), seed=2)
    return publish(Publication(Words(), context, metrics, path, time.perf_counter()))


def test_figures_and_page_stand_beside_the_run(run: OpenRun, capsys: pytest.CaptureFixture[str]) -> None:
    path = record_path("words", [run.folder], None, "published")
    assert path == run.folder / "eval" / "words-published" / "metrics.json"
    record = written(run, path)
    assert record == ResultRecord.load(path)
    assert (record.protocol, record.mode, record.noise, record.seed) == ("words", "published", "dynamic", 2)
    assert record.command.startswith("seqdis train tiny --out run && seqdis eval words ")
    assert record.wall_seconds >= 5
    page = (path.parent / "report.html").read_text()
    assert "a picture of &lt;swaps&gt;" in page
    assert "published mode" in page
    assert "± 25%" in page
    printed = capsys.readouterr().out
    assert "0.5 ± 0.25" in printed
    assert "edm 4" in printed
    assert "nothing more" in printed


@pytest.mark.parametrize(("judge", "noted"), [(0.9, True), (0.995, False)])
def test_the_page_says_where_a_judge_is_not_to_be_trusted(
    run: OpenRun, tmp_path: Path, judge: float, noted: bool
) -> None:
    written(run, tmp_path / "x.json", judge=judge)
    note = "the judge gets 90.0% of real test clips right; below 99%"
    assert (note in (tmp_path / "x.html").read_text()) == noted


def test_a_named_file_has_a_page_of_its_name(run: OpenRun, tmp_path: Path) -> None:
    path = record_path("words", [run.folder, tmp_path], tmp_path / "figures.json", "corrected")
    written(run, path)
    assert {path.name for path in tmp_path.iterdir()} == {"run", "figures.json", "figures.html"}


def test_several_runs_need_a_file() -> None:
    with pytest.raises(InputError, match="2 runs: give --out"):
        record_path("words", [Path("a"), Path("b")], None, "corrected")
    with pytest.raises(InputError, match=r"x\.html: metrics are one \.json file"):
        record_path("words", [Path("a")], Path("x.html"), "corrected")


def test_a_run_counts_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="given twice"):
        open_runs([tmp_path, tmp_path / "."])


def test_the_command_says_what_was_asked_for(run: OpenRun) -> None:
    options = Words.Options(quick=True, few_steps=4, layer=("a", "b"), noise="fresh")
    words = " ".join(command_words("words", Context([run], options, seed=1)))
    assert words == (
        f"seqdis eval words {run.folder} --mode corrected --seeds 1 --noise fresh --quick --few-steps 4 "
        "--layer a --layer b --seed 1"
    )
