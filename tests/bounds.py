"""What a configuration may ask for without a largest value."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from seqdis.core.base_config import Config

FREE = ("seed",)
"""Whole numbers that are no sizes."""


def _unbounded(schema: dict[str, Any], path: str, kinds: tuple[str, ...]) -> Iterator[str]:
    """The paths of numbers without a largest value, and of lists of them without a longest length."""
    if schema.get("type") in kinds and not {"maximum", "exclusiveMaximum", "enum", "const"} & schema.keys():
        yield path
    endless = "maxItems" not in schema and "prefixItems" not in schema
    if schema.get("type") == "array" and endless and schema["items"].get("type") in kinds:
        yield f"{path}[]"
    inner = [*schema.get("anyOf", ()), *schema.get("prefixItems", ())]
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for one in inner:
        yield from _unbounded(one, path, kinds)


def problems(config: type[Config], *, kinds: tuple[str, ...] = ("integer",)) -> list[str]:
    """The paths of all numbers of a configuration that have no largest value.

    Args:
        config: The configuration's class.
        kinds: Kinds of numbers, as JSON schemas name them.
    """
    schema = config.model_json_schema()
    parts = {config.__name__: schema, **schema.get("$defs", {})}
    found = [
        problem
        for title, part in parts.items()
        for name, field in part.get("properties", {}).items()
        if name not in FREE
        for problem in _unbounded(field, f"{title}.{name}", kinds)
    ]
    return sorted(set(found))


def all_configurations(package: str) -> list[type[Config]]:
    """Every class of settings or records that a package defines, whatever it is registered as."""
    home = importlib.import_module(package)
    for module in pkgutil.walk_packages(home.__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    found: dict[type[Config], None] = {}
    queue: list[type[Config]] = [Config]
    while queue:
        for one in queue.pop().__subclasses__():
            if one not in found:
                found[one] = None
                queue.append(one)
    return [one for one in found if one.__module__.startswith(f"{package}.")]
