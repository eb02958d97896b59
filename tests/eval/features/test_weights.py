from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.features.weights import WeightFile, read_state_dict, weight_folders


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
    torch.save({"a": torch.arange(3)}, path)
    assert torch.equal(read_state_dict(path)["a"], torch.arange(3))
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
