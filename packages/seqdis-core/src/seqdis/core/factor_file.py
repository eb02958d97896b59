"""Factors in a file: one safetensors of ``static``, ``dynamic``, ``extra.<side>.<name>``, ``mask``, ``stamps``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors
from seqdis.core.files import replace_with_tensors

__all__ = ["read_factors", "write_factors"]

_FORMAT = "seqdis.factors.2"


def write_factors(path: Path, factors: Factors) -> None:
    """Write factors to a file; keys and the unit of the stamps are its metadata."""
    tensors = {"static": factors.static, "dynamic": factors.dynamic}
    tensors |= {f"extra.{e.side}.{name}": e.value for name, e in factors.extras.items()}
    if factors.mask is not None:
        tensors["mask"] = factors.mask
    described: dict[str, Any] = {"keys": list(factors.keys), "stamps": None}
    if factors.stamps is not None:
        stamps = np.array(factors.stamps)
        described["stamps"] = str(stamps.dtype)
        tensors["stamps"] = torch.from_numpy(stamps.view(np.int64) if stamps.dtype.kind == "M" else stamps)
    # One entry: safetensors writes several in an order that differs from run to run.
    replace_with_tensors(path, tensors, {_FORMAT: json.dumps(described)})


def read_factors(path: Path) -> Factors:
    """Read what :func:`write_factors` wrote.

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
    extras = {}
    for name, value in tensors.items():
        kind, _, rest = name.partition(".")
        if kind == "extra":
            side, _, label = rest.partition(".")
            extras[label] = Extra(value, "static" if side == "static" else "dynamic")
    stamps = None
    if described["stamps"]:
        unit = np.dtype(described["stamps"])
        stamps = tensors["stamps"].numpy()
        stamps = stamps.view(unit) if unit.kind == "M" else stamps
    return Factors(
        tensors["static"],
        tensors["dynamic"],
        extras,
        keys=described["keys"],
        stamps=stamps,
        mask=tensors.get("mask"),
    )
