"""Hatchling metadata hook: the dependencies of pyproject.toml, siblings pinned to this version.

Every package keeps an identical copy, for an sdist holds one package alone.
"""

from __future__ import annotations

from hatchling.metadata.plugin.interface import MetadataHookInterface


class SiblingPins(MetadataHookInterface):
    """Writes ``seqdis-core=={version}`` for each sibling, beside the third-party dependencies."""

    PLUGIN_NAME = "custom"

    def update(self, metadata: dict) -> None:
        pins = [f"{name}=={metadata['version']}" for name in self.config.get("siblings", [])]
        metadata["dependencies"] = pins + self.config.get("third-party", [])
