"""The settings in which two configurations differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from seqdis.core.config import RunConfig

__all__ = ["Change", "differing_settings"]


@dataclass(frozen=True)
class Change:
    """Two values of one setting; None where a configuration does not have it.

    Attributes:
        before: Value in the first configuration.
        now: Value in the second.
    """

    before: Any
    now: Any


def differing_settings(before: RunConfig, now: RunConfig) -> dict[str, Change]:
    """Settings that differ, by their path (``train.lr``), in alphabetical order."""
    first, second = (dict(_flat(config.model_dump(mode="json"))) for config in (before, now))
    return {
        key: Change(first.get(key), second.get(key))
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key)
    }


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
