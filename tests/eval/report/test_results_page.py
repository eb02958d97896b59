from __future__ import annotations

from pathlib import Path

import pytest
from tests.eval.named import named

from seqdis.core.metric import Estimate
from seqdis.core.results import BenchmarkRow, ResultRecord, benchmark_record
from seqdis.core.training_record import TrainingRecord
from seqdis.eval.published import figures
from seqdis.eval.report.results_page import main


def record(name: str = "sprites", **changes: object) -> ResultRecord:
    values: dict[str, object] = {
        "name": name, "method": "diffsda", "dataset": "sprites", "modality": "video",
        "command": f"seqdis train diffsda-{name}", "seed": 3, "device": "cpu (2 cores)", "wall_seconds": 5400.0,
        "versions": {"torch": "2.11.0"},
        "metrics": named({
            "swap_joint_accuracy": Estimate(value=0.91234567, chance=0.0123, ci95=(0.88, 0.94), n=256),
            "reconstruction_mse": Estimate(value=2.5e-5, direction="lower"),
        }),
    }  # fmt: skip
    return ResultRecord.model_validate(values | changes)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "results").mkdir()
    return tmp_path


def training(run: str = "runs/a", **changes: object) -> TrainingRecord:
    values: dict[str, object] = {
        "run": run, "method": "diffsda", "preset": "diffsda-sprites", "sequence_shape": (8, 3, 32, 32), "steps": 3000,
        "batch_size": 16,
    }  # fmt: skip
    return TrainingRecord.model_validate(values | changes)


def page(root: Path, name: str = "RESULTS.md") -> str:
    assert main(["--root", str(root)]) == 0
    return (root / name).read_text(encoding="utf-8")


def table(root: Path) -> list[list[str]]:
    """The cells of the overview's tables, without heads."""
    lines = [line for line in page(root).splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines if not line.startswith(("| ---", "| method"))]


def test_no_result_gives_a_page_that_says_so(root: Path) -> None:
    assert "No result is recorded yet." in page(root)


def test_every_field_of_a_result_is_shown(root: Path) -> None:
    record().save(root / "results" / "sprites.json")
    (root / "results" / "sprites.png").write_bytes(b"")
    (root / "results" / "unrelated.png").write_bytes(b"")
    text = page(root, "results/sprites.md")
    assert "| swap_joint_accuracy ↑ | 0.9123 [0.88, 0.94] | 0.0123 | 256 |" in text
    assert "| reconstruction_mse ↓ | 2.5e-05 | – | – |" in text
    for part in ("# sprites (video)", "## sprites", "seed 3", "cpu (2 cores)", "90 min", "torch 2.11.0",
                 "seqdis train diffsda-sprites", "![sprites](sprites.png)", "[JSON](sprites.json)"):  # fmt: skip
        assert part in text
    assert "unrelated" not in text
    text = page(root)
    assert "results/sprites.md" in text
    assert text.rstrip().endswith("```\npython -m seqdis.eval.report.results_page\n```")


def test_metrics_of_cases_stand_in_one_table(root: Path) -> None:
    metrics = {
        "judge_accuracy": Estimate(value=1.0),
        "mse@edm 63": Estimate(value=0.25, direction="lower"),
        "accuracy@edm 63": Estimate(value=0.9),
        "accuracy@ddpm 4": Estimate(value=0.5),
    }
    record(metrics=named(metrics)).save(root / "results" / "nfe.json")
    text = page(root, "results/sprites.md")
    assert (
        "| case | mse ↓ | accuracy ↑ |\n| --- | ---: | ---: |\n| edm 63 | 0.25 | 0.9 |\n| ddpm 4 | – | 0.5 |\n"
        in text
    )
    assert "| judge_accuracy ↑ | 1 | – | – |" in text
    assert "mse@" not in text


def test_the_page_depends_on_what_is_there_and_not_on_the_order_of_writing(tmp_path: Path) -> None:
    pages = []
    for order in ((0, 1, 2), (2, 0, 1)):
        root = tmp_path / str(order[0])
        for i in order:
            record(f"run{i}", dataset=f"set{i % 2}").save(root / "results" / f"r{i}.json")
        pages.append(page(root))
    assert pages[0] == pages[1]
    assert pages[0].index("## set0") < pages[0].index("## set1")
    (root / "results" / "r2.json").rename(root / "results" / "a.json")
    text = page(root, "results/set0.md")
    assert text.index("## run0") < text.index("## run2")


def test_a_row_gathers_what_was_measured_of_one_training(root: Path) -> None:
    swap = named({"swap_joint_accuracy": Estimate(value=0.5)})
    again = named({"consistency": Estimate(value=0.75, chance=0.25), "other": Estimate(value=1.0)})
    kept = {"trainings": (training(),), "dataset": "own"}
    record("a", protocol="swap", metrics=swap, headline=("swap_joint_accuracy",), **kept).save(
        root / "results" / "a.json"
    )
    record("b", protocol="consistency", metrics=again, headline=("consistency",), **kept).save(
        root / "results" / "b.json"
    )
    rows = table(root)
    assert rows == [
        ["[DiffSDA](results/own.md#a)", "", "3,000 steps of 16", "0.75", "0.5"],
        ["*chance*", "", "", "*0.25*", "–"],
    ]
    record(
        "c", protocol="consistency", mode="published", metrics=again, headline=("consistency",), **kept
    ).save(root / "results" / "c.json")
    assert ["[DiffSDA](results/own.md#c)", "published mode", "3,000 steps of 16", "0.75", "–"] in table(root)


def test_cases_of_trainings_are_rows_and_only_their_differences_are_named(root: Path) -> None:
    metrics = {
        "error@a": Estimate(value=1.0),
        "error@b": Estimate(value=2.0),
        "error@other": Estimate(value=3.0),
    }
    trainings = (
        training("runs/a", case="a", changes=("width=8", "rate=1")),
        training("runs/b", case="b", changes=("width=8",), seconds=90.0),
    )
    record(dataset="own", metrics=named(metrics), headline=("error",), trainings=trainings).save(
        root / "results" / "x.json"
    )
    assert [row[1:] for row in table(root)] == [
        ["", "3,000 steps of 16, 90 s", "2"],
        ["`rate=1`", "3,000 steps of 16", "1"],
    ]


def test_published_figures_of_our_methods_stand_beside_with_their_setting(root: Path) -> None:
    metrics = named({"accuracy": Estimate(value=0.5)})
    record("a", protocol="generation", metrics=metrics, headline=("accuracy",)).save(
        root / "results" / "a.json"
    )
    published = [row for row in table(root) if "published" in row[0]]
    assert ["*S3VAE, published*", "*S3VAE, Tab. 1; 64×64*", "", "*0.9949*"] in published
    assert not [row for row in published if "MoCoGAN" in row[0]]
    assert "| MoCoGAN |" in page(root, "results/sprites.md")


def test_figures_of_another_set_or_quoted_under_another_protocol_stand_nowhere(root: Path) -> None:
    # VDSM's Tab. 2 is of a Sprites of 1,120 identities, and repeats what others print of generation.
    metrics = named({"consistency": Estimate(value=0.5)})
    record("a", protocol="consistency", metrics=metrics, headline=("consistency",)).save(
        root / "results" / "a.json"
    )
    assert not [row for row in table(root) if "published" in row[0]]
    assert "consistency (VDSM" not in page(root, "results/sprites.md")
    own = figures(paper="VDSM", table="2", metric="consistency")
    assert {f.method for f in own if f.quoted} == {"S3VAE", "DSVAE", "MoCoGAN"}
    others = figures(paper="S3VAE", metric="accuracy")
    assert {f.printed for f in own if f.quoted} <= {f.printed for f in others}


def test_a_result_without_figures_to_look_at_first_is_linked(root: Path) -> None:
    record("x").save(root / "results" / "x.json")
    assert "Also measured: [x](results/sprites.md#x)." in page(root)


def test_a_page_that_nothing_is_recorded_for_is_stale_and_removed(root: Path) -> None:
    record("a", dataset="old").save(root / "results" / "a.json")
    (root / "results" / "README.md").write_text("by hand")
    page(root)
    record("a", dataset="new").save(root / "results" / "a.json")
    page(root)
    assert sorted(path.name for path in (root / "results").glob("*.md")) == ["README.md", "new.md"]


def test_benchmarks_have_a_section_of_their_own(root: Path) -> None:
    rows = [
        BenchmarkRow(case="step", unit="ms", ours=5.0, peer=10.0),
        BenchmarkRow(case="alone", unit="ms", ours=1.0),
    ]
    benchmark_record(rows, device="cpu", versions={"torch": "2"}).save(
        root / "results" / "benchmarks" / "step.json"
    )
    assert "[results/timings.md](results/timings.md)" in page(root)
    text = page(root, "results/timings.md")
    assert "| step | ms | 5 | 10 | 0.5 |" in text
    assert "| alone | ms | 1 | – | – |" in text


def test_check_tells_a_stale_page_and_leaves_it(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", "--root", str(root)]) == 1
    assert "python -m seqdis.eval.report.results_page" in capsys.readouterr().err
    before = page(root)
    assert main(["--check", "--root", str(root)]) == 0
    record().save(root / "results" / "new.json")
    assert main(["--check", "--root", str(root)]) == 1
    assert (root / "RESULTS.md").read_text(encoding="utf-8") == before


def test_a_file_of_another_form_is_refused_by_name(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "results" / "odd.json").write_text('{"schema": "seqdis.result.9"}')
    assert main(["--root", str(root)]) == 2
    message = capsys.readouterr().err
    assert (
        "odd.json: schema 'seqdis.result.9'; this version reads seqdis.result.2 and seqdis.benchmark.1"
        in message
    )
    assert message.count("\n") == 1
    assert main(["--root", str(root / "results")]) == 2
    assert "holds no folder 'results'" in capsys.readouterr().err
