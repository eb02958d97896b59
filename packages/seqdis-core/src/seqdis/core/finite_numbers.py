"""Refusal of NaN and Inf among plain values, which JSON cannot hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from seqdis.core.errors import InputError

__all__ = ["check_finite_numbers"]


def check_finite_numbers(value: Any, name: str) -> None:
    """Refuse NaN and Inf anywhere in plain values.

    Args:
        value: Numbers, texts, and lists and mappings of these.
        name: Name of the whole in a message.

    Raises:
        InputError: A number is not finite; names the path to the first one.
    """
    for path, number in _numbers(value, ()):
        if not math.isfinite(number):
            raise InputError(
                f"{name}: {'.'.join(path) or 'value'} is {number}; only finite numbers are written"
            )


def _numbers(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
    if isinstance(value, float):
        yield path, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _numbers(one, (*path, str(key)))
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from _numbers(one, (*path, str(index)))
