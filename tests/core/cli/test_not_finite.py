"""No command loads weights that are not numbers, and none writes a result that is not one."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from typer.testing import Result

from seqdis.core.analysis.factor_shards import FactorShards
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors

Command = Callable[..., Result]
Refused = Callable[..., str]


@pytest.fixture
def changed(prior_run: Path, tmp_path: Path) -> Callable[..., Path]:
    """A copy of the run whose tensors of one file went through a function by name."""

    def build(change: Callable[[str, Tensor], Tensor], file: str = "model.safetensors") -> Path:
        run = tmp_path / "changed"
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(prior_run, run)
        tensors = {name: change(name, value).contiguous() for name, value in load_file(run / file).items()}
        save_file(tensors, run / file)
        if file == "model.safetensors":
            shutil.rmtree(run / "prior")
        return run

    return build


@pytest.fixture(scope="session")
def huge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three files, of which one holds finite values that overflow in any network."""
    folder = tmp_path_factory.mktemp("huge")
    rng = np.random.default_rng(0)
    for name in ("a.npy", "b.npy", "c.npy"):
        frames = rng.normal(size=(6, 8)).astype(np.float32)
        np.save(folder / name, np.sign(frames) * np.float32(3e38) if name == "b.npy" else frames)
    return folder


def first(run: Path) -> str:
    return next(name for name in load_file(run / "model.safetensors") if name.endswith("weight"))


DAMAGE: dict[str, tuple[Callable[[Tensor], Tensor], str]] = {
    "nan": (lambda x: x * float("nan"), "values are NaN or Inf"),
    "inf": (lambda x: x + float("inf"), "values are NaN or Inf"),
    "large": (lambda x: x.double() + 1e300, "as float32: "),
    "int8": (lambda x: x.to(torch.int8), "is of type int8; allowed: a floating type"),
    "int64": (lambda x: x.to(torch.int64), "is of type int64; allowed: a floating type"),
    "complex64": (lambda x: x.to(torch.complex64), "is of type complex64; allowed: a floating type"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_weights_that_are_not_numbers_are_refused_by_the_tensor(
    refused: Refused,
    changed: Callable[..., Path],
    prior_run: Path,
    recordings: Path,
    tmp_path: Path,
    kind: str,
) -> None:
    damage, message = DAMAGE[kind]
    name = first(prior_run)
    run = changed(lambda one, value: damage(value) if one == name else value)
    said = refused("encode", run, recordings, "--out", tmp_path / "f.npz", "--device", "cpu")
    assert said.startswith(f"{run}: {name}")
    assert message in said
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changed"]


COMMANDS = {
    "encode": ["FILE", "--out", "OUT/f.safetensors"],
    "swap": ["--static", "FILE", "--dynamic", "FILE", "--out", "OUT/s"],
    "reconstruct": ["FILE", "--out", "OUT/r.npy"],
    "sample": ["-n", "1", "--out", "OUT/s"],
    "traverse": ["FILE", "--out", "OUT/t"],
    "prior fit": [],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_computes_with_a_deviation_of_zero(
    refused: Refused, changed: Callable[..., Path], recordings: Path, tmp_path: Path, command: str
) -> None:
    run = changed(lambda name, value: value * (name != "normalizer.std"))
    before = sorted(run.rglob("*"))
    words = [
        word.replace("FILE", str(recordings / "a.npy")).replace("OUT", str(tmp_path))
        for word in COMMANDS[command]
    ]
    said = refused(*command.split(), run, *words, "--device", "cpu")
    assert said.startswith(f"{run}: normalizer.std: is 0 at index (0,); allowed: above 0")
    assert sorted(run.rglob("*")) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["changed"]


@pytest.mark.parametrize("kind", [torch.float64, torch.float16, torch.bfloat16])
def test_weights_of_any_floating_type_load_as_float32(
    changed: Callable[..., Path], prior_run: Path, kind: torch.dtype
) -> None:
    model = Disentangler.from_pretrained(changed(lambda _, value: value.to(kind)))
    for name, value in load_file(prior_run / "model.safetensors").items():
        loaded = model.state_dict()[name]
        assert loaded.dtype == torch.float32
        assert torch.equal(loaded, value.to(kind).float())


@pytest.mark.parametrize("kind", ["nan", "int8"])
def test_a_prior_that_is_not_of_numbers_is_refused_by_the_tensor(
    refused: Refused, changed: Callable[..., Path], tmp_path: Path, kind: str
) -> None:
    damage, message = DAMAGE[kind]
    run = changed(lambda name, value: damage(value) if name == "mean" else value, "prior/prior.safetensors")
    said = refused("sample", run, "-n", 1, "--out", tmp_path / "s", "--device", "cpu")
    assert said.startswith(f"{run / 'prior'}: mean")
    assert message in said
    run = changed(lambda name, value: value * (name != "std"), "prior/prior.safetensors")
    said = refused("sample", run, "-n", 1, "--out", tmp_path / "s", "--device", "cpu")
    assert said.startswith(f"{run / 'prior'}: std: is 0 at index (0,)")
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize("name", ["f.safetensors", "f.npz", "f.csv", "shards"])
def test_finite_values_that_overflow_are_told_by_their_file(
    refused: Refused, toy_run: Path, huge: Path, tmp_path: Path, name: str
) -> None:
    if name.endswith(".csv"):
        pytest.importorskip("pandas")
    said = refused("encode", toy_run, huge, "--out", tmp_path / name, "--device", "cpu")
    assert said.startswith("b.npy: this model makes NaN or Inf of it (static)")
    assert "its values go from -3e+38 to 3e+38" in said
    assert not (tmp_path / name).is_file()
    assert not [path for path in tmp_path.rglob("*.safetensors") if "b.npy" in Factors.load(path).keys]


def test_finite_values_that_overflow_can_be_left_out(
    seqdis: Command, toy_run: Path, huge: Path, tmp_path: Path
) -> None:
    words = ("encode", toy_run, huge, "--device", "cpu", "--skip-bad", "--out")
    result = seqdis(*words, tmp_path / "shards")
    assert result.exit_code == 0, result.output
    assert list(FactorShards.open(tmp_path / "shards").description.keys) == ["a.npy", "c.npy"]
    (left,) = json.loads((tmp_path / "shards" / "index.json").read_text())["left_out"]
    assert left["path"] == str(huge / "b.npy")
    assert "NaN or Inf" in left["detail"]


@pytest.mark.parametrize(
    "words",
    [
        ("reconstruct", "HUGE", "--out", "OUT/r.npy"),
        ("swap", "--static", "HUGE", "--dynamic", "FILE", "--out", "OUT/s"),
        ("swap", "--static", "FILE", "--dynamic", "HUGE", "--out", "OUT/s"),
        ("swap", "--dynamic", "HUGE", "--out", "OUT/s"),
        ("traverse", "HUGE", "--out", "OUT/t"),
        ("sample", "--content", "HUGE", "-n", "1", "--out", "OUT/s"),
    ],
    ids=" ".join,
)
def test_no_media_and_no_pictures_are_made_of_values_that_overflow(
    refused: Refused, prior_run: Path, huge: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    places = {"HUGE": str(huge / "b.npy"), "FILE": str(huge / "a.npy"), "OUT": str(tmp_path / "out")}
    for name, place in places.items():
        words = tuple(word.replace(name, place) for word in words)
    said = refused(words[0], prior_run, *words[1:], "--device", "cpu")
    assert "b.npy: this model makes NaN or Inf of it" in said
    assert not list(tmp_path.rglob("*"))
