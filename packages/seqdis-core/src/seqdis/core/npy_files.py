"""Arrays in npy and npz files, whose headers can claim no more than the file holds."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import numpy as np

from seqdis.core.limits import check_claim
from seqdis.core.reading import readable

__all__ = ["Arrays", "read_npy"]

_LONGEST_HEADER = 10_000
_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(path: Path) -> np.ndarray:
    """The array of an npy file, mapped into memory and not read.

    Raises:
        InputError: The file is missing or damaged, holds objects, or fewer bytes than its header claims.
    """
    with readable(path, ".npy"):
        with path.open("rb") as file:
            _check_header(file, path.stat().st_size)
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


class Arrays(Mapping[str, np.ndarray]):
    """The arrays of an npz file by their names, each read when it is asked for.

    Args:
        path: Path of the file.

    Raises:
        InputError: The file is missing or no npz; or, when an array is asked for, it is damaged, holds objects, or is
            larger than the file makes likely.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with readable(path, ".npz"), zipfile.ZipFile(path) as archive:
            self._names = {name.removesuffix(".npy"): name for name in archive.namelist()}

    def __getitem__(self, name: str) -> np.ndarray:
        member = self._names[name]
        with readable(self._path, ".npz"), zipfile.ZipFile(self._path) as archive:
            claimed, packed = archive.getinfo(member).file_size, self._path.stat().st_size
            with archive.open(member) as file:
                values = _check_header(file, claimed)
            check_claim(self._path, values, packed, what=f"numbers in {name!r}")
            with archive.open(member) as file:
                return np.asarray(np.lib.format.read_array(file, allow_pickle=False))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


def _check_header(file: IO[bytes], size: int) -> int:
    """The number of values of an array that needs no more than ``size`` bytes with its header."""
    version = np.lib.format.read_magic(file)
    start = file.tell()
    length = int.from_bytes(file.read(2 if version == (1, 0) else 4), "little")
    if length > _LONGEST_HEADER:
        raise ValueError(f"a header of {length} bytes; allowed: {_LONGEST_HEADER}")
    file.seek(start)
    if version not in _READERS:
        raise ValueError(f"version {version} of the npy format; allowed: 1.0 and 2.0")
    shape, _, dtype = _READERS[version](file)
    if dtype.hasobject or not dtype.itemsize:
        raise ValueError(f"holds {dtype}, which nothing unpickles; allowed: numbers")
    claimed = math.prod(shape) * dtype.itemsize
    held = size - file.tell()
    if claimed > held or min(shape, default=0) < 0:
        raise ValueError(f"its header claims {claimed} bytes {shape!s:.60}; it holds {held}")
    return math.prod(shape)
