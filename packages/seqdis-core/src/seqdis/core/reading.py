"""Files read with a library: whatever it throws becomes one line that names the file."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from safetensors.torch import load_file
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["one_reason", "read_json", "read_tensors", "readable"]

_LONGEST_REASON = 200


def one_reason(error: BaseException) -> str:
    """The message of an error on one line of at most 200 characters, or the name of its type where it says nothing."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, KeyError):
        return f"{error!s:.{_LONGEST_REASON}} is missing"
    text = " ".join(str(error).split())
    return f"{text:.{_LONGEST_REASON}}" or type(error).__name__


@contextlib.contextmanager
def readable(path: str | Path, kind: str, *, hint: str = "") -> Iterator[None]:
    """Turn any exception of the body into one :class:`InputError` with the file's name.

    A file is data that anyone may have made, and what a library throws at a damaged one is not a closed list.

    Args:
        path: The file that is read.
        kind: The expected kind of file in words (``"a file of latents"``).
        hint: The end of the message, such as the way out.

    Raises:
        InputError: The body raised an exception; its own ``InputError`` passes as it is.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{path}: cannot be read as {kind}: {one_reason(error)}{hint}") from error


def read_json(path: Path, *, kind: str = "JSON", hint: str = "") -> Any:
    """Read a JSON file.

    Args:
        path: Path of the file.
        kind: The expected kind of file in words, for the message.
        hint: The end of the message, such as the way out.

    Raises:
        InputError: The file is missing, is not JSON in UTF-8, or nests deeper than can be read.
    """
    with readable(path, kind, hint=hint):
        return json.loads(path.read_text(encoding="utf-8"))


def read_tensors(path: Path, *, kind: str = "tensors") -> dict[str, Tensor]:
    """Read the tensors of a safetensors file, whose header can claim no more than the file holds.

    Args:
        path: Path of the file.
        kind: The expected kind of file in words, for the message.

    Raises:
        InputError: The file is missing or damaged.
    """
    with readable(path, kind):
        return load_file(path)
