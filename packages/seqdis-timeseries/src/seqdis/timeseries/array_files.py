"""Arrays of numpy as series."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from seqdis.core.errors import InputError

__all__ = ["ArrayFile", "read_array"]

# What numpy's reader raises for a file that is cut short, or whose header is damaged or claims too much.
_DAMAGE = (
    OSError, ValueError, EOFError, MemoryError, OverflowError, SyntaxError, TypeError, KeyError, tokenize.TokenError,
    zlib.error, zipfile.BadZipFile, NotImplementedError,
)  # fmt: skip


@dataclass(frozen=True)
class ArrayFile:
    """The numbers of a file.

    Attributes:
        values: The series, ``(T, F)``, float64, NaN where a value is missing.
        observed: True where a value was measured, ``(T, F)``.
    """

    values: np.ndarray
    observed: np.ndarray


def read_array(path: Path) -> ArrayFile:
    """Read a series ``(T, F)`` or ``(T,)`` from an npy file, or an npz file of one array or of ``x`` and ``observed``.

    Raises:
        InputError: The file is missing or damaged, holds other arrays, or no numbers.
    """
    seen = None
    try:
        # Mapped, not read: a header that claims more than the file holds is an error and takes no memory.
        loaded = np.load(path, allow_pickle=False, mmap_mode="r" if path.suffix.lower() == ".npy" else None)
        if isinstance(loaded, np.ndarray):
            values = loaded
        else:
            with loaded:
                names = list(loaded.files)
                if len(names) != 1 and not {"x"} <= set(names) <= {"x", "observed"}:
                    raise InputError(f"{path}: holds arrays {names}; allowed: one, or 'x' and 'observed'")
                values = loaded["x" if len(names) > 1 else names[0]]
                seen = loaded["observed"] if len(names) > 1 else None
    except InputError:
        raise
    except _DAMAGE as error:
        why = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path}: cannot be read as {path.suffix}: {why}") from error
    if values.ndim == 1:
        values = values[:, None]
    if values.ndim != 2 or values.dtype.kind not in "fiub":
        raise InputError(
            f"{path}: an array {values.shape} of {values.dtype}; allowed: numbers, (T, F) or (T,)"
        )
    values = np.array(values, dtype=np.float64)
    observed = ~np.isnan(values)
    if seen is not None:
        if seen.shape != values.shape or seen.dtype != np.bool_:
            raise InputError(
                f"{path}: 'observed' is {seen.shape} of {seen.dtype}; allowed: bool {values.shape}"
            )
        observed &= seen
    return ArrayFile(values, observed)
