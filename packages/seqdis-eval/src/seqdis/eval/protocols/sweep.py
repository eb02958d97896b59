"""Cells of a comparison: methods or presets, each with every combination of the values that are swept."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from seqdis.core.config import RunConfig, apply_overrides
from seqdis.core.errors import InputError

__all__ = ["Cell", "Sweep", "cells_of"]


@dataclass(frozen=True)
class Sweep:
    """A setting and the values that it takes in turn.

    Attributes:
        key: The setting's name, as ``seqdis train`` takes it (``"model.orthogonality"``).
        values: The values, as texts.
    """

    key: str
    values: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``"model.orthogonality=0,0.1,1"``; commas inside brackets belong to a value.

        Raises:
            InputError: The text is of another form, or a value occurs twice.
        """
        key, equals, rest = text.partition("=")
        values = tuple(_split(rest))
        if not (key and equals and values and all(values)):
            raise InputError(f"--sweep {text!r}; allowed: KEY=VALUE,VALUE,…")
        if len(set(values)) < len(values):
            raise InputError(f"--sweep {text!r}: a value occurs twice")
        return cls(key, values)


@dataclass(frozen=True)
class Cell:
    """One training of a comparison.

    Attributes:
        case: Name in tables: the method's or preset's, with the swept settings behind it.
        folder: Name of the run's folder.
        config: Configuration of the training.
    """

    case: str
    folder: str
    config: RunConfig


def cells_of(presets: Mapping[str, RunConfig], sweeps: Sequence[Sweep] = ()) -> list[Cell]:
    """Every combination of a preset with the swept values.

    Args:
        presets: Configurations by the name of their method or preset.
        sweeps: The settings that are swept; without any, a cell a preset.

    Raises:
        InputError: A setting is swept twice, or a preset lacks it or does not allow a value.
    """
    keys = [sweep.key for sweep in sweeps]
    if len(set(keys)) < len(keys):
        raise InputError(f"--sweep: {keys} names a setting twice")
    cells = []
    for name, config in presets.items():
        for values in itertools.product(*(sweep.values for sweep in sweeps)):
            changes = [f"{key}={value}" for key, value in zip(keys, values, strict=True)]
            short = [f"{key.rpartition('.')[2]}={value}" for key, value in zip(keys, values, strict=True)]
            folder = "+".join([config.preset, *(re.sub(r"[^\w.=,\[\]-]", "-", one) for one in short)])
            cells.append(Cell(", ".join([name, *short]), folder, apply_overrides(config, changes)))
    return cells


def _split(text: str) -> list[str]:
    """The parts between commas that lie outside of brackets."""
    parts, depth = [""], 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return [part.strip() for part in parts]
