from __future__ import annotations

import struct
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from seqdis.core.errors import InputError
from seqdis.core.reading import read_json, read_tensors, readable


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (RuntimeError("two\n lines"), "two lines"),
        (KeyError("name"), "'name' is missing"),
        (RecursionError(), "RecursionError"),
        (FileNotFoundError(2, "No such file or directory", "f"), "No such file or directory"),
        (ValueError("long " * 1000), ("long " * 40).strip()),
    ],
)
def test_whatever_is_thrown_becomes_one_line(error: Exception, reason: str) -> None:
    with pytest.raises(InputError) as told, readable("f", "a thing", hint="; do so"):
        raise error
    assert str(told.value).removesuffix("; do so").rstrip() == f"f: cannot be read as a thing: {reason}"


def test_an_input_error_passes_as_it_is() -> None:
    with pytest.raises(InputError, match=r"^mine$"), readable("f", "a thing"):
        raise InputError("mine")


@pytest.mark.parametrize("content", [b"[" * 100_000, b"\xff", b"", b"{", b"9" * 5000])
def test_what_is_no_json_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json: cannot be read as JSON: .+") as told:
        read_json(path)
    assert len(str(told.value)) < 400


def test_a_header_of_tensors_that_claims_more_than_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    save_file({"a": torch.zeros(4)}, path)
    content = path.read_bytes().replace(b"[4]", b"[9]").replace(b"[0,16]", b"[0,36]")
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.safetensors: cannot be read as tensors: "):
        read_tensors(path)
    path.write_bytes(struct.pack("<Q", 1 << 40) + content[8:])
    with pytest.raises(InputError, match=r"x\.safetensors: cannot be read as tensors: "):
        read_tensors(path)
