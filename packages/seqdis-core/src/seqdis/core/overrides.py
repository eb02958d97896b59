"""Some keys of a run's configuration changed: ``key=value`` on a command line, or by name in Python."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from seqdis.core.base_config import parse_config, setting_paths
from seqdis.core.errors import InputError
from seqdis.core.kind_config import KindConfig, switch_kind

if TYPE_CHECKING:
    from seqdis.core.config import RunConfig

__all__ = ["apply_overrides", "change_config", "read_overrides"]

C = TypeVar("C", bound=BaseModel)


def _read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise InputError(f"a value nests too deeply: {text:.40}…") from None
    except ValueError:
        lowered = text.lower()
        words: dict[str, Any] = {"true": True, "false": False, "none": None}
        if lowered in words:
            return words[lowered]
        if "," in text:
            return [_read_value(part) for part in text.split(",") if part]
        return text


def read_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Read ``key=value`` texts as plain values: JSON, a bare word, or a comma-separated list.

    Raises:
        InputError: An override has no ``=``.
    """
    values = {}
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals:
            raise InputError(f"override {item!r} is not of the form key=value")
        values[key] = _read_value(text)
    return values


def apply_overrides(config: RunConfig, overrides: Sequence[str]) -> RunConfig:
    """Change some keys of a run's configuration, as they are typed on a command line.

    Args:
        config: The configuration to start from.
        overrides: Texts ``key=value``, with a key as in :func:`change_config`. A value is JSON, a bare word,
            or a comma-separated list.

    Raises:
        InputError: A key is unknown or ambiguous, a value is out of range, or a kind lacks a setting that the
            preset has changed.
    """
    return change_config(config, read_overrides(overrides))


def change_config(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """Change some keys of a run's configuration.

    Args:
        config: The configuration to start from.
        changes: Values by key. A key is a path (``train.steps``) or its last part alone where only one path ends
            so (``lr``). Where one changes the ``kind`` of an algorithm (``sampler.kind``), the others name
            settings of the new one; what both have stays as it is.

    Raises:
        InputError: A key is unknown or ambiguous, a value is out of range, or a kind lacks a setting that the
            preset has changed.
    """
    config = _switch_kinds(config, changes)
    values = config.model_dump(mode="json")
    keys = _override_keys(config)
    whole = [
        f"prior.options.{name}" for name in config.prior.options
    ]  # by the full path alone: lr is train.lr
    for key, value in changes.items():
        full = _full_key(key, keys, whole)
        if full is None:
            raise _first_unknown(key, config, keys)
        *parents, last = full.split(".")
        section = values
        for parent in parents:
            section = section[parent]
        section[last] = value
    model = parse_config(type(config.model), values.pop("model"), where="model")
    return parse_config(type(config), values | {"model": model}, where="override")


def _override_keys(config: RunConfig) -> list[str]:
    fixed = ("format", "preset", "modality", "method")
    keys = [key for key in setting_paths(config) if key not in fixed]
    keys += [f"data.options.{name}" for name in config.data.options]
    return keys + [path for path in _sections(keys) if _kind_section(config, path) is not None]


def _full_key(key: str, keys: Sequence[str], whole: Sequence[str] = ()) -> str | None:
    """The one path that a key means; None if there is none."""
    matches = [k for k in (*keys, *whole) if k == key] or [k for k in keys if k.endswith(f".{key}")]
    if len(matches) > 1:
        raise InputError(f"override key {key!r} is ambiguous; allowed: {', '.join(matches)}")
    return matches[0] if matches else None


def _sections(keys: Sequence[str]) -> list[str]:
    return [key.removesuffix(".kind") for key in keys if key.endswith(".kind")]


def _kind_section(config: RunConfig, path: str) -> KindConfig | None:
    """The settings of one algorithm among several that stand at a path; None if others do."""
    section: Any = config
    for name in path.split("."):
        section = getattr(section, name)
    return section if isinstance(section, KindConfig) else None


def _switch_kinds(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """The configuration with the algorithms that the overrides ask for, before their settings are changed."""
    keys = _override_keys(config)
    for key, value in changes.items():
        path, _, last = (_full_key(key, keys) or "").rpartition(".")
        section = _kind_section(config, path) if last == "kind" else None
        if section is not None and value != section.kind:
            try:
                config = _replace(config, path.split("."), switch_kind(section, str(value), strict=True))
            except InputError as error:
                raise InputError(f"override {key}={value}: {error}") from None
    return config


def _replace(config: C, path: Sequence[str], value: Any) -> C:
    name, *rest = path
    return config.model_copy(update={name: _replace(getattr(config, name), rest, value) if rest else value})


def _first_unknown(key: str, config: RunConfig, keys: Sequence[str]) -> InputError:
    parent, _, last = key.rpartition(".")
    path = _full_key(f"{parent}.kind", keys) if parent else None
    section = None if path is None else _kind_section(config, path.removesuffix(".kind"))
    if section is not None:
        return InputError(f"override: {section.unknown_setting(last)}")
    near = difflib.get_close_matches(key, [*keys, *(k.rpartition(".")[2] for k in keys)], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return InputError(f"override: unknown key {key!r}{hint}; allowed: {', '.join(keys)}")
