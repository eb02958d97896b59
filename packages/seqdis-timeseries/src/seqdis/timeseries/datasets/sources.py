"""Shared steps of the readers of published datasets: find a file, read its columns, split a list."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from seqdis.core.errors import InputError
from seqdis.timeseries.table_files import read_frame

__all__ = ["find_file", "read_table", "season", "split_shuffled"]

T = TypeVar("T")


def find_file(root: Path, name: str) -> Path:
    """``root/name``, or its compressed form ``.xz`` or ``.gz``.

    Raises:
        InputError: None of these files exists.
    """
    for suffix in ("", ".xz", ".gz"):
        if (root / f"{name}{suffix}").is_file():
            return root / f"{name}{suffix}"
    raise InputError(f"{root}: holds no {name} (nor {name}.xz, {name}.gz)")


def read_table(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read the named columns of a csv file.

    Raises:
        InputError: The file cannot be read, or lacks one of the columns.
    """
    table = read_frame(path)
    missing = [column for column in columns if column not in table]
    if missing:
        raise InputError(f"{path}: lacks columns {', '.join(missing)}; it has {', '.join(table.columns)}")
    return table[list(columns)]


def season(month: int) -> int:
    """The season of a month: 0 winter (December to February), 1 spring, 2 summer, 3 autumn."""
    return month % 12 // 3


def split_shuffled(items: Sequence[T], share: float, seed: int) -> dict[str, list[T]]:
    """A random ``share`` of the items as ``"train"``, the others as ``"val"``, each in its first order."""
    order = np.random.default_rng(seed).permutation(len(items))
    cut = round(share * len(items))
    return {
        "train": [items[i] for i in sorted(order[:cut])],
        "val": [items[i] for i in sorted(order[cut:])],
    }
