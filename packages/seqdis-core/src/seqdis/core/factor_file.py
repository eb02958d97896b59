"""The file of factors: one safetensors with a line of JSON as its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_tensors

__all__ = ["FactorFile", "read_factor_file", "write_factor_file"]

_FORMAT = "seqdis.factors.2"


@dataclass(frozen=True)
class FactorFile:
    """The content of a file of factors.

    Attributes:
        tensors: ``static``, ``dynamic``, ``extra.<side>.<name>``, and ``mask`` where there is one.
        keys: A name for each sequence, or none.
        stamps: Time stamp of each step, ``(B, V)``, or None.
    """

    tensors: Mapping[str, Tensor]
    keys: Sequence[str] = ()
    stamps: np.ndarray | None = None


def write_factor_file(path: Path, content: FactorFile) -> None:
    """Write a file that appears whole or not at all; times are kept as integers with their unit beside."""
    tensors = dict(content.tensors)
    described: dict[str, Any] = {"keys": list(content.keys), "stamps": None}
    if content.stamps is not None:
        stamps = np.array(content.stamps)
        described["stamps"] = str(stamps.dtype)
        tensors["stamps"] = torch.from_numpy(stamps.view(np.int64) if stamps.dtype.kind == "M" else stamps)
    # One entry: safetensors writes several in an order that differs from run to run.
    replace_with_tensors(path, tensors, {_FORMAT: json.dumps(described)})


def read_factor_file(path: Path) -> FactorFile:
    """Read what :func:`write_factor_file` wrote.

    Raises:
        InputError: The file is missing, damaged, or holds something else.
    """
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            if _FORMAT not in metadata:
                names = ", ".join(sorted(metadata)) or "nothing"
                raise InputError(f"{path}: not a factors file; its metadata name {names}, not {_FORMAT}")
            tensors: dict[str, Tensor] = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a file is no dict)
    except (OSError, SafetensorError) as error:
        raise InputError(f"{path}: cannot be read as a factors file: {error}") from error
    described = json.loads(metadata[_FORMAT])
    needed = ["static", "dynamic", *(["stamps"] if described["stamps"] else [])]
    absent = [name for name in needed if name not in tensors]
    if absent:
        raise InputError(f"{path}: holds no {absent[0]!r}; it is damaged")
    stamps = None
    if described["stamps"]:
        unit = np.dtype(described["stamps"])
        stamps = tensors.pop("stamps").numpy()
        stamps = stamps.view(unit) if unit.kind == "M" else stamps
    return FactorFile(tensors, described["keys"], stamps)
