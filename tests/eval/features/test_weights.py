from __future__ import annotations

import hashlib
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from seqdis.core.errors import InputError
from seqdis.eval.features.weights import WeightFile, load_weights, read_state_dict, weight_folders


def a_file(folder: Path, content: bytes = b"weights") -> WeightFile:
    sha = hashlib.sha256(content).hexdigest()
    return WeightFile(f"net-{sha[:8]}.pth", "a network", "https://example.org/net", sha[:8])


def test_absent_weights_are_told_with_file_places_checksum_and_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    file = a_file(tmp_path)
    with pytest.raises(InputError) as error:
        file.find()
    assert str(error.value) == (
        f"a network: no weights {file.name}, SHA-256 {file.sha256}…; looked for "
        f"{tmp_path}/cache/hub/checkpoints/{file.name}, {tmp_path}/torch/hub/checkpoints/{file.name}; "
        "get it from https://example.org/net"
    )
    with pytest.raises(InputError, match=rf"looked for {tmp_path}/mine\.pth; get it"):
        file.find(tmp_path / "mine.pth")


def test_they_are_found_in_the_cache_before_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    file = a_file(tmp_path)
    own, hub = weight_folders()
    for folder in (hub, own):
        folder.mkdir(parents=True)
        (folder / file.name).write_bytes(b"weights")
        assert file.find() == folder / file.name


def test_another_file_of_that_name_is_refused(tmp_path: Path) -> None:
    file = a_file(tmp_path)
    path = tmp_path / file.name
    path.write_bytes(b"other")
    came = hashlib.sha256(b"other").hexdigest()[:8]
    with pytest.raises(InputError, match=rf"SHA-256 {came}…; a network needs {file.sha256}…"):
        file.find(path)


class Intruder:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (exec, ("raise SystemExit('ran')",))


def test_only_tensors_come_out_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.arange(3.0)}, path)
    assert torch.equal(read_state_dict(path)["a"], torch.arange(3.0))
    torch.save([torch.arange(3)], path)
    with pytest.raises(InputError, match="holds list; allowed: tensors by name"):
        read_state_dict(path)
    path.write_bytes(pickle.dumps(Intruder()))
    with pytest.raises(InputError, match="cannot be read as weights"):
        read_state_dict(path)
    path.write_bytes(b"no weights")
    with pytest.raises(InputError, match="cannot be read as weights") as error:
        read_state_dict(path)
    assert "\n" not in str(error.value)


NO_WEIGHTS: dict[str, tuple[Callable[[], object], str]] = {
    "nan": (lambda: torch.tensor([1.0, torch.nan]), "1 of 2 values are NaN or Inf"),
    "inf": (lambda: torch.tensor([torch.inf], dtype=torch.float16), "1 of 1 values are NaN or Inf"),
    "nan of a byte": (lambda: torch.tensor([torch.nan]).to(torch.float8_e4m3fn), "1 of 1 values are NaN"),
    "int8": (
        lambda: torch.zeros(3, dtype=torch.int8),
        r"is int8 \(3,\); allowed: a floating type, or one count",
    ),
    "int64": (lambda: torch.zeros(3, dtype=torch.int64), r"is int64 \(3,\); allowed: a floating type"),
    "complex": (lambda: torch.zeros(3, dtype=torch.complex64), r"is complex64 \(3,\); allowed"),
    "sparse": (lambda: torch.eye(3).to_sparse(), r"is no plain tensor \(float32, torch.sparse_coo, cpu\)"),
    "without a place": (lambda: torch.zeros(3, device="meta"), "is no plain tensor"),
    "one for many": (lambda: torch.zeros(1).expand(1 << 50), "claims 1125899906842624 values, more than"),
}


@pytest.mark.parametrize("kind", NO_WEIGHTS)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_no_weight_is_refused_by_its_name(tmp_path: Path, kind: str) -> None:
    make, message = NO_WEIGHTS[kind]
    path = tmp_path / "w.pth"
    torch.save({"count": torch.tensor(3), "a": torch.zeros(3), "layer.weight": make()}, path)
    with pytest.raises(InputError, match=rf"^{path}: layer\.weight: .*{message}") as told:
        read_state_dict(path)
    assert "\n" not in str(told.value)


def test_no_more_is_unpacked_than_the_file_is_large(tmp_path: Path) -> None:
    plain, packed = tmp_path / "plain.pth", tmp_path / "packed.pth"
    torch.save({"a": torch.zeros(1 << 20)}, plain)
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as small:
        for name in source.namelist():
            small.writestr(name, source.read(name))
    assert packed.stat().st_size < 10_000
    with pytest.raises(
        InputError, match=r"packed\.pth: claims \d+ bytes of tensors in a file of \d+; allowed"
    ):
        read_state_dict(packed)


@pytest.mark.parametrize("size", [0, 1, 100, 300, 600])
def test_a_file_cut_short_is_one_line(tmp_path: Path, size: int) -> None:
    path = tmp_path / "w.pth"
    torch.save({"a": torch.zeros(3)}, path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(InputError, match=r"w\.pth: cannot be read as weights: ") as told:
        read_state_dict(path)
    assert "\n" not in str(told.value)


def test_weights_must_be_those_of_the_network(tmp_path: Path) -> None:
    network, path = nn.Linear(2, 3), tmp_path / "w.pth"
    state = {"weight": torch.ones(3, 2, dtype=torch.float64), "bias": torch.ones(3)}
    load_weights(network, state, path, what="a layer")
    assert torch.equal(network.weight, torch.ones(3, 2))
    with pytest.raises(
        InputError, match=r"w\.pth: not the weights of a layer: bias is absent, this model needs"
    ):
        load_weights(network, {"weight": state["weight"]}, path, what="a layer")
