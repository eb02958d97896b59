"""What the commands of all protocols share: where figures go, and what the command was."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
import torch
from tests.eval.conftest import Channels

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.results import Metric, ResultRecord
from seqdis.eval.cli.protocol import OpenRun, open_runs, place_of, publish, seeds_from, typed
from seqdis.eval.report.blocks import Section, Text


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


def written(
    run: OpenRun, place: Path, sections: list[Section], *, judge: float | None = None
) -> ResultRecord:
    return publish(
        "swap",
        {
            **({} if judge is None else {"judge_accuracy": Metric(value=judge, n=1000)}),
            "swap_joint_accuracy": Metric(value=0.5, chance=0.1, std=0.25, seeds=3),
        },
        runs=[run],
        place=place,
        words=typed("swap", [run.folder], seeds=3, mode="published"),
        mode="published",
        seeds=(0, 1, 2),
        started=time.perf_counter(),
        sections=sections,
    )


def test_figures_and_page_stand_beside_the_run(run: OpenRun, capsys: pytest.CaptureFixture[str]) -> None:
    place = place_of("swap", [run.folder], None, "published")
    assert place == run.folder / "eval" / "swap-published" / "metrics.json"
    record = written(run, place, [Section("To look at", [Text("a picture of <swaps>")])])
    assert record == ResultRecord.load(place)
    assert (record.protocol, record.mode) == ("swap", "published")
    assert record.command.startswith("seqdis train tiny --out run && seqdis eval swap ")
    assert record.wall_seconds >= 5
    page = (place.parent / "report.html").read_text()
    assert "a picture of &lt;swaps&gt;" in page
    assert "published mode" in page
    assert "± 25%" in page
    assert "0.5 ± 0.25" in capsys.readouterr().out


@pytest.mark.parametrize(("judge", "doubted"), [(0.9, True), (0.995, False)])
def test_the_page_says_where_a_judge_is_not_to_be_trusted(
    run: OpenRun, tmp_path: Path, judge: float, doubted: bool
) -> None:
    written(run, tmp_path / "x.json", [], judge=judge)
    assert (
        "the judge gets 90.0% of real test clips right; below 99%" in (tmp_path / "x.html").read_text()
    ) == doubted


def test_a_named_file_has_a_page_of_its_name(run: OpenRun, tmp_path: Path) -> None:
    place = place_of("swap", [run.folder, tmp_path], tmp_path / "figures.json", "corrected")
    written(run, place, [])
    assert {path.name for path in tmp_path.iterdir()} == {"run", "figures.json", "figures.html"}


def test_several_runs_need_a_place() -> None:
    with pytest.raises(InputError, match="2 runs: give --out"):
        place_of("swap", [Path("a"), Path("b")], None, "corrected")
    with pytest.raises(InputError, match=r"x\.html: metrics are one \.json file"):
        place_of("swap", [Path("a")], Path("x.html"), "corrected")


def test_a_run_counts_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="given twice"):
        open_runs([tmp_path, tmp_path / "."])


def test_the_command_says_what_was_asked_for() -> None:
    words = typed("swap", [Path("a")], pairs=None, model=["x=1", "y=2"], quick=True, slow=False, few_steps=4)
    assert " ".join(words) == "seqdis eval swap a --model x=1 --model y=2 --quick --few-steps 4"
    assert list(seeds_from(2, 3)) == [2, 3, 4]
