"""The commands of all protocols that are installed, found by entry point and loaded when one is asked for."""

from __future__ import annotations

import ast
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from seqdis.core.errors import InputError
from seqdis.core.plugins import plugin_points

__all__ = ["ProtocolGroup"]


class ProtocolGroup(TyperGroup):
    """``seqdis eval``: its own commands, and one for each entry point of the group ``seqdis.protocols``."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in alphabetical order."""
        return sorted({*super().list_commands(ctx), *plugin_points("protocols")})

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """A protocol as a line of help, which needs no import; :meth:`resolve_command` loads it."""
        point = plugin_points("protocols").get(cmd_name)
        if point is None or cmd_name in self.commands:
            return super().get_command(ctx, cmd_name)
        return TyperCommand(name=cmd_name, help=_summary(point))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command that was typed, a protocol with its options."""
        name, command, rest = super().resolve_command(ctx, args)
        point = plugin_points("protocols").get(name or "")
        return (name, command, rest) if point is None or name in self.commands else (name, _load(point), rest)


def _load(point: EntryPoint) -> Any:
    from seqdis.eval.cli.protocol_command import protocol_command
    from seqdis.eval.protocols.protocol import Protocol

    try:
        protocol = point.load()
    except (ImportError, AttributeError) as error:
        raise InputError(
            f"protocol {point.name!r} ({point.value}) is declared by an installed package, but importing it "
            f"failed: {error}"
        ) from error
    if not (isinstance(protocol, type) and issubclass(protocol, Protocol)):
        raise InputError(f"protocol {point.name!r}: its entry point must name a Protocol; got {protocol!r}")
    single = typer.Typer(add_completion=False)
    single.command(name=point.name)(protocol_command(protocol))
    return get_command(single)


def _summary(point: EntryPoint) -> str:
    """The docstring of a protocol's class, read without importing it: torch takes a second."""
    try:
        spec = find_spec(point.module)
        tree = ast.parse(Path(spec.origin if spec and spec.origin else "").read_text(encoding="utf-8"))
    except (ImportError, OSError, SyntaxError, ValueError):
        return f"({point.value} cannot be read)"
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == point.attr]
    return (ast.get_docstring(classes[0]) or "").partition("\n\n")[0] if classes else ""
