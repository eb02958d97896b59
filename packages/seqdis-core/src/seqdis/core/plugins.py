"""Objects that installed distributions declare under the entry-point groups ``seqdis.<group>``.

Nothing is imported before it is asked for.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any

from seqdis.core.errors import InputError, unknown_name

__all__ = ["get_plugin", "list_plugins"]


def _points(group: str) -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=group)}


def list_plugins(group: str) -> list[str]:
    """Names declared under the entry-point group ``seqdis.<group>``."""
    return sorted(_points(f"seqdis.{group}"))


def get_plugin(group: str, name: str) -> Any:
    """Load the object that a distribution declared under ``seqdis.<group>``.

    Raises:
        InputError: No installed distribution declares that name, or loading it failed.
    """
    points = _points(f"seqdis.{group}")
    if name not in points:
        raise unknown_name(group.removesuffix("s").replace("modalitie", "modality"), name, points)
    try:
        return points[name].load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"{group} {name!r} is declared by an installed package, but importing it failed: {error}"
        ) from error
