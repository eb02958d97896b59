"""A run knows where its data lie and whether they are still the same; what is given away does not."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_modality, get_preset
from seqdis.core.remembered_data import RememberedData, data_of_run, describe_data, remember_data
from seqdis.core.training import train


@pytest.fixture
def config() -> RunConfig:
    return get_preset("toy-folder").model_copy(
        update={"train": get_preset("toy-folder").train.model_copy(update={"steps": 2, "save_every": 1})}
    )


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    for index in range(3):
        (folder / "deep").mkdir(parents=True, exist_ok=True)
        values = np.random.default_rng(index).normal(size=(20 + index, 8)).astype(np.float32)
        np.save(folder / ("deep" if index else ".") / f"{index}.npy", values)
    (folder / "notes.txt").write_text("no input")
    return folder


@pytest.fixture
def run(tmp_path: Path, config: RunConfig, data: Path) -> Path:
    train(config, tmp_path / "run", data=data, device="cpu", show_progress=False)
    return tmp_path / "run"


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    return lambda: [
        record.getMessage() for record in caplog.records if record.name == "seqdis.core.remembered_data"
    ]


def test_a_training_from_files_writes_down_where_they_are(run: Path, data: Path) -> None:
    known = json.loads((run / "data.json").read_text())
    assert known.keys() == {"format", "path", "files", "fingerprint"}
    assert (known["path"], known["files"]) == (str(data), 3)
    assert re.fullmatch("[0-9a-f]{64}", known["fingerprint"])


def test_a_relative_path_is_found_from_everywhere(
    tmp_path: Path, config: RunConfig, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(data.parent)
    train(config, Path("here"), data=Path(data.name), device="cpu", show_progress=False)
    monkeypatch.chdir("/")
    assert data_of_run(tmp_path / "here", config) == data


def test_the_run_and_its_checkpoints_find_their_data_without_being_told(
    run: Path, config: RunConfig, data: Path, warnings: Callable[[], list[str]], tmp_path: Path
) -> None:
    assert data_of_run(run, config) == data
    assert data_of_run(next((run / "checkpoints").iterdir()), config) == data
    assert data_of_run(run, config, tmp_path) == tmp_path  # what is named goes first
    assert warnings() == []


def test_names_and_sizes_make_the_fingerprint(config: RunConfig, data: Path, tmp_path: Path) -> None:
    def fingerprint(folder: Path) -> str:
        known = describe_data(config, folder)
        assert known is not None
        return known.fingerprint

    before = fingerprint(data)
    moved = Path(shutil.copytree(data, tmp_path / "elsewhere"))
    assert fingerprint(moved) == before
    (moved / "notes.txt").write_text("a file that is no input, however long")
    assert fingerprint(moved) == before
    seen = {before}
    (moved / "0.npy").rename(moved / "9.npy")
    seen.add(fingerprint(moved))
    np.save(moved / "9.npy", np.zeros((50, 8), np.float32))
    seen.add(fingerprint(moved))
    np.save(moved / "new.npy", np.zeros((50, 8), np.float32))
    seen.add(fingerprint(moved))
    (moved / "labels.json").write_text('{"labels": {}, "clips": {}}')
    seen.add(fingerprint(moved))
    assert len(seen) == 5


def test_one_file_can_be_the_data(config: RunConfig, data: Path) -> None:
    known = describe_data(config, data / "0.npy")
    assert known is not None
    assert (known.files, known.path) == (1, str(data / "0.npy"))


def test_changed_data_are_used_with_a_warning(
    run: Path, config: RunConfig, data: Path, warnings: Callable[[], list[str]]
) -> None:
    np.save(data / "3.npy", np.zeros((20, 8), np.float32))
    assert data_of_run(run, config) == data
    assert warnings() == [f"{run}: the data in {data} have changed since the training (3 files then, 4 now)"]


def test_data_that_are_gone_are_one_line_with_the_way_out(run: Path, config: RunConfig, data: Path) -> None:
    data.rename(data.with_name("moved"))
    message = f"{run}: was trained on {data}, which is not there any more; name the data by --data FOLDER"
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        data_of_run(run, config)
    assert data_of_run(run, config, data.with_name("moved")) == data.with_name("moved")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("[]", "holds a list; name the data by --data FOLDER"),
        ('{"format": 2, "path": "a", "files": 1, "fingerprint": "b"}', "key 'format' is 2"),
        ('{"path": "a"}', "key 'files' is missing"),
    ],
)
def test_a_damaged_file_is_one_line(run: Path, config: RunConfig, text: str, said: str) -> None:
    (run / "data.json").write_text(text)
    with pytest.raises(InputError, match=rf"data\.json: [^\n]*{re.escape(said)}"):
        data_of_run(run, config)


def test_what_is_given_away_holds_no_path(run: Path, data: Path, tmp_path: Path) -> None:
    gift = tmp_path / "gift"
    Disentangler.from_pretrained(run).save_pretrained(gift)
    assert sorted(p.name for p in gift.iterdir()) == ["config.json", "model.safetensors"]
    given = [*gift.iterdir(), *(p for p in (run / "checkpoints").rglob("*") if p.is_file())]
    given += [run / "config.json", run / "model.safetensors"]
    assert len(given) > 10
    for path in given:
        assert str(tmp_path).encode() not in path.read_bytes(), path
    assert data_of_run(gift, get_preset("toy-folder")) is None


def test_a_run_goes_on_with_the_data_that_it_remembers(
    run: Path, config: RunConfig, data: Path, warnings: Callable[[], list[str]]
) -> None:
    more = config.model_copy(update={"train": config.train.model_copy(update={"steps": 3})})
    np.save(data / "3.npy", np.random.default_rng(3).normal(size=(20, 8)).astype(np.float32))
    train(more, run, resume=True, device="cpu", show_progress=False)
    assert len(warnings()) == 1
    # What it was trained on last is what it remembers.
    assert json.loads((run / "data.json").read_text())["files"] == 4
    other = Path(shutil.copytree(data, data.with_name("other")))
    last = config.model_copy(update={"train": config.train.model_copy(update={"steps": 4})})
    train(last, run, data=other, resume=True, device="cpu", show_progress=False)
    assert data_of_run(run, config) == other
    with pytest.raises(InputError, match="dataset 'folder' needs --data FOLDER"):
        train(config, run.with_name("new"), device="cpu", show_progress=False)


def test_a_named_dataset_is_remembered_where_its_folder_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warnings: Callable[[], list[str]]
) -> None:
    plain = get_preset("toy")
    spec = replace(get_modality("toy").datasets()["ramps"], folder="ramps", source="somewhere")
    monkeypatch.setattr(type(get_modality("toy")), "datasets", lambda self: {"ramps": spec})
    named, found = tmp_path / "named", tmp_path / "base" / "ramps"
    for folder in (named, found):
        (folder / ".hidden").mkdir(parents=True)
        (folder / "part.bin").write_bytes(b"12345")
        (folder / ".hidden" / "x").write_bytes(b"")
    monkeypatch.setenv("SEQDIS_DATA", str(tmp_path / "base"))
    config = plain.model_copy(update={"train": plain.train.model_copy(update={"steps": 1})})
    train(config, tmp_path / "a", data=named, device="cpu", show_progress=False)
    train(config, tmp_path / "b", device="cpu", show_progress=False)
    known = json.loads((tmp_path / "a" / "data.json").read_text())
    assert (known["path"], known["files"]) == (str(named), 1)
    assert data_of_run(tmp_path / "a", config) == named
    # Found by SEQDIS_DATA, it is looked for there again.
    assert not (tmp_path / "b" / "data.json").exists()
    assert data_of_run(tmp_path / "b", config) is None
    shutil.rmtree(named)
    assert data_of_run(tmp_path / "a", config) == found
    assert warnings() == []
    monkeypatch.delenv("SEQDIS_DATA")
    with pytest.raises(InputError, match="is not there any more; name the data by --data FOLDER"):
        data_of_run(tmp_path / "a", config)


def test_data_that_are_generated_are_not_remembered(tmp_path: Path) -> None:
    assert describe_data(get_preset("toy"), tmp_path) is None
    remember_data(tmp_path / "run", None)
    assert not (tmp_path / "run").exists()
    build_model(get_preset("toy")).save_pretrained(tmp_path / "run")
    assert data_of_run(tmp_path / "run", get_preset("toy")) is None


def test_it_reads_what_it_writes(tmp_path: Path, config: RunConfig, data: Path) -> None:
    known = describe_data(config, data)
    remember_data(tmp_path, known)
    assert RememberedData.model_validate_json((tmp_path / "data.json").read_text()) == known
