"""The base of every configuration, and plain values read as one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from seqdis.core.errors import InputError

__all__ = ["Config", "parse_config", "setting_paths"]

C = TypeVar("C", bound=BaseModel)


class Config(BaseModel):
    """Base of every configuration: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def setting_paths(config: BaseModel | type[BaseModel]) -> Iterator[str]:
    """The paths of all settings, those of the present kinds of algorithm among them."""
    schema = config if isinstance(config, type) else type(config)
    for name, info in schema.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            inner = kind if isinstance(config, type) else getattr(config, name)
            yield from (f"{name}.{leaf}" for leaf in setting_paths(inner))
        else:
            yield info.alias or name


def _first_problem(error: ValidationError, where: str, keys: Sequence[str]) -> InputError:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"]) or "(whole)"
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, keys, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        parent = key.rpartition(".")[0]
        siblings = [k for k in keys if k.rpartition(".")[0] == parent] or keys
        return InputError(f"{where}: unknown key {key!r}{hint}; allowed: {', '.join(siblings)}")
    if problem["type"] == "missing":
        return InputError(f"{where}: key {key!r} is missing")
    return InputError(f"{where}: key {key!r} is {problem.get('input')!r}, but: {problem['msg']}")


def parse_config(schema: type[C], values: Mapping[str, Any], *, where: str) -> C:
    """Validate plain values as a configuration.

    Args:
        schema: The configuration's class.
        values: Plain JSON values.
        where: The file or command that the values come from, for the message.

    Raises:
        InputError: A key is unknown, missing or out of range; the message names the first, its value, and
            what is allowed.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise _first_problem(error, where, list(setting_paths(schema))) from None
