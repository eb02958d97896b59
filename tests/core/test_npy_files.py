from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from seqdis.core.errors import InputError
from seqdis.core.npy_files import Arrays, read_npy


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode()
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text + content


def test_arrays_come_back(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(4, 3)
    np.save(tmp_path / "x.npy", values)
    np.savez_compressed(tmp_path / "x.npz", x=values, observed=values > 2)
    assert np.array_equal(read_npy(tmp_path / "x.npy"), values)
    arrays = Arrays(tmp_path / "x.npz")
    assert list(arrays) == ["x", "observed"]
    assert np.array_equal(arrays["x"], values)
    assert np.array_equal(arrays["observed"], values > 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,)}", bytes(80)),
            "it holds 80",
        ),
        (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", bytes(80)), "it holds 80"),
        (npy(f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({2**70}, {2**70})}}"), "it holds 0"),
        (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", bytes(8)), "holds object"),
        (npy("{'descr': '|V0', 'fortran_order': False, 'shape': (1000000000000,)}"), "holds |V0"),
        (npy("(" * 80_000), "a header of 80000 bytes; allowed: 10000"),
        (npy("{'descr': '<f8', 'shape': ("), ""),
        (npy("[" * 5000), ""),
        (b"\x93NUMPY\x09\x00", "version (9, 0)"),
        (b"", ""),
    ],
)
def test_a_header_that_claims_what_is_not_there_is_told_in_one_line(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "x.npy"
    path.write_bytes(content)
    with pytest.raises(InputError) as told:
        read_npy(path)
    text = str(told.value)
    assert text.startswith(f"{path}: cannot be read as .npy: ")
    assert message in text
    assert "\n" not in text


def test_zeros_that_pack_into_next_to_nothing_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, np.zeros(100_000))
    size = path.stat().st_size
    monkeypatch.setenv("SEQDIS_LIMITS", "content=1000")
    with pytest.raises(InputError, match=rf"100000 numbers in 'arr_0' in a file of {size} bytes; allowed: "):
        Arrays(path)["arr_0"]
    monkeypatch.setenv("SEQDIS_LIMITS", f"content=1000,expansion={-(-100_000 // size)}")
    assert len(Arrays(path)["arr_0"]) == 100_000
