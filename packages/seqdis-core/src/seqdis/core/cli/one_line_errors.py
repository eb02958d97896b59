"""Unusable input ends a command with one line and an exit code instead of a traceback."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from seqdis.core.errors import InputError
from seqdis.core.processes import ReportedElsewhere

__all__ = ["CommandWithOneLineErrors", "GroupWithOneLineErrors", "one_line"]

INPUT_ERROR, INTERRUPTED = 2, 130
"""Exit codes: of an unusable input (the same as of a usage error), and of Ctrl-C (128 + SIGINT)."""


def one_line(error: Exception) -> str:
    """The message of an error on one line; of an operating system's error, the file and what it says."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return " ".join(str(error).split())


class _OneLineErrors:
    """The base of a command and of a group of commands."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)  # type: ignore[misc]
        except BrokenPipeError:
            raise  # the reader of a pipe left (`seqdis list | head`): typer ends quietly
        except (InputError, OSError) as error:
            if not isinstance(error, ReportedElsewhere):
                typer.echo(f"error: {one_line(error)}", err=True)
            raise typer.Exit(INPUT_ERROR) from error
        except KeyboardInterrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(INTERRUPTED) from None


class GroupWithOneLineErrors(_OneLineErrors, TyperGroup):
    """A group of commands whose errors are one line each."""


class CommandWithOneLineErrors(_OneLineErrors, TyperCommand):
    """A single command whose errors are one line each."""
