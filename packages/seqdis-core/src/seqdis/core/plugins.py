"""Objects that installed distributions declare under the entry-point groups ``seqdis.<group>``.

Nothing is imported before it is asked for.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from seqdis.core.errors import InputError, unknown_name

__all__ = ["get_plugin", "list_plugins", "plugin_points"]


def plugin_points(group: str) -> Mapping[str, EntryPoint]:
    """Find what installed distributions declare under the entry-point group ``seqdis.<group>``, by name."""
    return _points(f"seqdis.{group}", tuple(sys.path))


@functools.lru_cache(maxsize=64)
def _points(group: str, searched: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    # The metadata of every installed distribution are read; ``searched`` is where they lie.
    return {point.name: point for point in entry_points(group=group)}


def list_plugins(group: str) -> list[str]:
    """Names declared under the entry-point group ``seqdis.<group>``."""
    return sorted(plugin_points(group))


def get_plugin(group: str, name: str) -> Any:
    """Load the object that a distribution declared under ``seqdis.<group>``.

    Raises:
        InputError: No installed distribution declares that name, or loading it failed.
    """
    points = plugin_points(group)
    if name not in points:
        raise unknown_name(group.removesuffix("s").replace("modalitie", "modality"), name, points)
    try:
        return points[name].load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{group} {name!r} is declared by an installed package, but importing it failed: {error}"
        ) from error
