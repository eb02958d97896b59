"""Every whole number that a command takes has a largest value."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any, get_args, get_type_hints

import pytest
import typer
from typer.models import OptionInfo

from seqdis.core.cli.app import app


def functions(group: typer.Typer) -> Iterator[Callable[..., Any]]:
    yield from (one.callback for one in group.registered_commands if one.callback)
    for below in group.registered_groups:
        if below.typer_instance is not None:
            yield from functions(below.typer_instance)


def unbounded(function: Callable[..., Any]) -> list[str]:
    hints = get_type_hints(function, include_extras=True)
    found = []
    for name in inspect.signature(function).parameters:
        kind, *extra = get_args(hints[name]) or (hints[name],)
        whole = kind is int or any(part is int or int in get_args(part) for part in get_args(kind))
        if whole and any(isinstance(one, OptionInfo) and one.max is None for one in extra):
            found.append(f"{function.__name__}: {name}")
    return found


def test_every_whole_number_has_a_largest_value() -> None:
    commands = list(functions(app))
    assert len(commands) > 10
    assert [problem for command in commands for problem in unbounded(command)] == []


@pytest.mark.parametrize(
    "words",
    [
        ("encode", "r", "f", "--out", "o", "--frames"),
        ("sample", "r", "--out", "o", "-n"),
        ("sample", "r", "--out", "o", "--seed"),
        ("traverse", "r", "f", "--out", "o", "--points"),
    ],
    ids=" ".join,
)
def test_one_beyond_it_is_one_line(refused: Callable[..., str], words: tuple[str, ...]) -> None:
    said = refused(*words, 10**30)
    assert said.startswith(f"Invalid value for '{words[-1]}'") or "less than or equal to" in said
