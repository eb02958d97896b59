"""The command line on the files of each modality, with the demo's model before any training."""

from __future__ import annotations

import inspect
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.factors import Factors
from seqdis.core.modality import Modality
from seqdis.core.pretrained import build_model
from seqdis.core.registry import build_dataset, get_modality, get_plugin, get_preset
from seqdis.core.results import ResultRecord

KINDS = {
    "video": [".mp4", ".gif", ".webm", ""],  # "": a folder of images
    "audio": [".wav", ".flac"],
    "timeseries": [".csv", ".parquet", ".npy"],
}


@dataclass(frozen=True)
class Case:
    """A model's folder, and two sequences of its dataset as files of every kind."""

    modality: Modality
    run: Path
    files: Path
    length: int

    def file(self, name: str, kind: str) -> Path:
        return self.files / (kind.strip(".") or "folders") / f"{name}{kind}"


@pytest.fixture(scope="module", params=sorted(KINDS))
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Case:
    torch.manual_seed(0)
    modality, home = get_modality(request.param), tmp_path_factory.mktemp(request.param)
    config = get_preset(modality.demo() or "")
    build_model(config).save_pretrained(home / "run")
    case = Case(modality, home / "run", home / "files", config.data.length)
    sequences = build_dataset(request.param, config.data, "val").fetch([0, 1]).x
    for name, frames in zip("ab", sequences, strict=True):
        for kind in KINDS[request.param]:
            path = case.file(name, kind)
            path.parent.mkdir(parents=True, exist_ok=True)
            modality.write(path, frames, config.data)
    return case


def seqdis(*words: object) -> Result:
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result


def test_every_kind_of_file_is_encoded(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "f.safetensors"
    said = json.loads(
        seqdis("encode", case.run, case.files, "--out", out, "--device", "cpu", "--json").stdout
    )
    kinds = KINDS[case.modality.name]
    factors = Factors.load(out)
    keys = list(factors.keys)
    assert said["sequences"] == len(factors) == 2 * len(kinds)
    expected = [str(case.file(name, kind).relative_to(case.files)) for kind in kinds for name in "ab"]
    assert sorted(keys) == sorted(expected)


def test_a_swap_of_every_kind_can_be_read_again(case: Case, tmp_path: Path) -> None:
    data = get_preset(case.modality.demo() or "").data
    for kind in KINDS[case.modality.name]:
        lends = ["--static", case.file("a", kind), "--dynamic", case.file("b", kind)]
        out = tmp_path / kind.strip(".") / f"swap{kind or '.mp4'}"
        seqdis("swap", case.run, *lends, "--out", out, "--steps", 2, "--device", "cpu")
        again = case.modality.read(out, data).frames
        assert tuple(again.shape[1:]) == data.frame_shape
        assert len(again) >= case.length


def test_a_folder_gets_swap_and_picture(case: Case, tmp_path: Path) -> None:
    kind = KINDS[case.modality.name][0]
    lends = ["--static", case.file("a", kind), "--dynamic", case.file("b", kind)]
    seqdis("swap", case.run, *lends, "--out", tmp_path / "s", "--steps", 2, "--device", "cpu")
    assert sorted(p.name for p in (tmp_path / "s").iterdir()) == sorted(
        [f"swap{kind}", "swap.json", "swap.png"]
    )
    assert (tmp_path / "s" / "swap.png").read_bytes().startswith(b"\x89PNG")


def test_reconstructions_keep_the_kind_of_their_input(case: Case, tmp_path: Path) -> None:
    kind = KINDS[case.modality.name][-1]
    folder = case.file("a", kind).parent
    words = (
        "reconstruct",
        case.run,
        folder,
        "--out",
        tmp_path / "r",
        "--steps",
        2,
        "--device",
        "cpu",
        "--json",
    )
    rows = json.loads(seqdis(*words).stdout)
    assert [Path(row["out"]).name for row in rows] == [f"a{kind or '.mp4'}", f"b{kind or '.mp4'}"]
    assert all(Path(row["out"]).is_file() for row in rows)


def test_a_file_of_another_modality_lists_the_known_kinds(case: Case, tmp_path: Path) -> None:
    path = tmp_path / "x.docx"
    path.write_bytes(b"")
    result = CliRunner().invoke(app, ["encode", str(case.run), str(path), "--out", str(tmp_path / "f.npz")])
    assert result.exit_code == 2
    assert result.stderr.startswith(
        f"error: {path}: unknown kind of file '.docx'; {case.modality.name} reads: "
    )
    for kind in KINDS[case.modality.name]:
        assert (kind or "folders of images") in result.stderr


def test_a_model_reads_a_checkpoint_of_its_own_modality_only(case: Case, tmp_path: Path) -> None:
    config = json.loads((case.run / "config.json").read_text())
    other = "audio" if case.modality.name != "audio" else "timeseries"
    edited = tmp_path / "edited"
    edited.mkdir()
    (edited / "config.json").write_text(json.dumps(config | {"modality": other}))
    (edited / "model.safetensors").write_bytes((case.run / "model.safetensors").read_bytes())
    words = ["encode", str(edited), str(case.files), "--out", str(tmp_path / "f.npz")]
    result = CliRunner().invoke(app, words)
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output


def test_the_demo_calls_the_scorer_as_it_is() -> None:
    scorer: Callable[..., object] = get_plugin("scorers", "swap")
    inspect.signature(scorer).bind("model", "train_set", "test_set", seed=0, progress=print)


def test_factors_are_drawn_swapped_in_and_traversed(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("seqdis.core.analysis.prior_components.DRAWS", 64)
    run = Path(shutil.copytree(case.run, tmp_path / "run"))
    quick = ("--steps", 2, "--device", "cpu")
    seqdis(
        "prior", "fit", run, "hidden=8", "layers=2", "epochs=1", "steps=2", "resamples=1", "--device", "cpu"
    )
    file, modality = case.file("a", KINDS[case.modality.name][0]), case.modality
    data = get_preset(modality.demo() or "").data
    seqdis("sample", run, "-n", 2, *quick)
    suffix = modality.writes[0]
    for name in ("sample-0", "sample-1"):
        assert (
            tuple(modality.read(run / "sample" / f"{name}{suffix}", data).frames.shape[1:])
            == data.frame_shape
        )
    for side in ("static", "dynamic"):
        seqdis("swap", run, f"--{side}", file, "-n", 2, "--out", tmp_path / side, *quick)
        names = {p.name for p in (tmp_path / side).iterdir()}
        assert names == {f"swap-0{file.suffix}", f"swap-1{file.suffix}", "swap.png", "swap.json"}
        seqdis("traverse", run, file, "--factor", side, "--points", 3, *quick)
        names = {p.name for p in (run / "traverse").iterdir() if p.name.startswith(side)}
        moving = ".gif" in modality.pictures
        media = (
            {f"{side}-0.gif"} if moving else {f"{side}-0_{a}{suffix}" for a in ("-1.00", "+0.00", "+1.00")}
        )
        assert names == {f"{side}-0.png", f"{side}.json", *media}
        rows = json.loads((run / "traverse" / f"{side}.json").read_text())["components"]
        assert rows[0]["explained"] > 0
        assert rows[0]["labels"]


@pytest.mark.full
def test_samplers_are_compared_on_any_modality(case: Case, tmp_path: Path) -> None:
    out = tmp_path / "nfe.json"
    words = (
        "eval",
        "few-steps",
        case.run,
        "--pairs",
        2,
        "--nfe",
        4,
        "--nfe",
        63,
        "--no-judge-swaps",
        "--out",
        out,
    )
    said = seqdis(*words, "--device", "cpu").stdout
    record = ResultRecord.load(out)
    assert record.modality == case.modality.name
    assert record.metrics["reconstruction_mse@edm 63"].n == 2
    assert "decoding_mse within 2% of edm 63:" in said
