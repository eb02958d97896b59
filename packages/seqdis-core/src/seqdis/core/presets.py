"""Presets: functions that build the configuration of a run, which the installed modalities offer by name."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from seqdis.core.errors import InputError, unknown_name
from seqdis.core.plugins import get_plugin, list_plugins

if TYPE_CHECKING:
    from seqdis.core.config import RunConfig

__all__ = ["get_preset", "list_presets"]


def list_presets() -> Mapping[str, Callable[[], RunConfig]]:
    """The functions that build presets, by name; a modality that fails to load is only logged."""
    presets: dict[str, Callable[[], RunConfig]] = {}
    for name in list_plugins("modalities"):
        try:
            offered = getattr(get_plugin("modalities", name)(), "presets", None)
            if offered is None:
                raise InputError(
                    f"modality {name!r}: its entry point must name a Modality, which has presets"
                )
            presets |= offered()
        except InputError as error:
            logging.getLogger(__name__).warning("%s", error)
    return presets


def get_preset(name: str) -> RunConfig:
    """Build one preset.

    Raises:
        InputError: No installed modality has the preset.
    """
    presets = list_presets()
    if name not in presets:
        raise unknown_name("preset", name, presets)
    return presets[name]()
