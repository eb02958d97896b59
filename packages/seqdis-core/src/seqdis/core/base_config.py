"""The base of every configuration, and plain values read as one."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from seqdis.core.errors import InputError
from seqdis.core.largest_sizes import DEEPEST, LONGEST, LONGEST_CLIP, WIDEST

__all__ = [
    "DEEPEST", "LONGEST", "LONGEST_CLIP", "WIDEST", "Config", "Level", "Width", "parse_config", "setting_paths",
]  # fmt: skip

C = TypeVar("C", bound=BaseModel)

# A configuration that came with a file may ask for anything.
_DEEPEST_NESTING, _LARGEST_INTEGER = 32, (1 << 63) - 1
Width = Annotated[int, Field(ge=1, le=WIDEST)]
"""A width in a list of several."""
Level = Annotated[int, Field(ge=0, le=DEEPEST)]
"""The number of a layer or level, from 0, in a list of several."""


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
    received = f"{problem.get('input')!r:.200}"
    return InputError(f"{where}: key {key!r} is {received}, but: {problem['msg']:.1000}")


def _check_plain(values: Any, where: str) -> None:
    """Refuse values that nest deeper than any configuration does, and whole numbers of more than 64 bits."""
    level = [values]
    for _ in range(_DEEPEST_NESTING):
        inner: list[Any] = []
        for value in level:
            if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
                raise InputError(f"{where}: a whole number of {value.bit_length()} bits; allowed: 63")
            if isinstance(value, Mapping):
                inner += value.values()
            elif isinstance(value, list | tuple):
                inner += value
        if not inner:
            return
        level = inner
    raise InputError(f"{where}: values nest deeper than {_DEEPEST_NESTING} levels")


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
    _check_plain(values, where)
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise _first_problem(error, where, list(setting_paths(schema))) from None
