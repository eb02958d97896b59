"""Unusable input ends a command with one line and an exit code instead of a traceback."""

from __future__ import annotations

from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from seqdis.core.errors import InputError, TrainingTerminated
from seqdis.core.processes import ReportedElsewhere, is_first_process

__all__ = ["CommandWithOneLineErrors", "GroupWithOneLineErrors", "one_line"]

INPUT_ERROR, INTERRUPTED, TERMINATED = 2, 130, 143
"""Exit codes: of an unusable input (the same as of a usage error), of Ctrl-C (128 + SIGINT), and of SIGTERM."""

_USAGE_ERROR: Any = typer.BadParameter.__base__
"""An unknown command or option, or a value that an option does not take."""


def _end_by_usage(error: Any) -> NoReturn:
    message = error.format_message()
    if "\n" in message.strip():
        raise error  # the page of help that a group without a command shows
    command = error.ctx.command_path if error.ctx is not None else "the command"
    text = one_line(message).replace("Value error, ", "").rstrip(".")
    typer.echo(f"error: {text}; see {command} --help", err=True)
    raise typer.Exit(INPUT_ERROR) from error


def _end_by_signal(text: str, code: int) -> NoReturn:
    if is_first_process():  # a launch of several processes ends with one line
        typer.echo(text, err=True)
    raise typer.Exit(code) from None


def one_line(error: Exception | str) -> str:
    """The message of an error on one line; of an operating system's error, the file and what it says."""
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror}"
    return " ".join(str(error).split())


class _OneLineErrors:
    """The base of a command and of a group of commands."""

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().make_context(*args, **kwargs)  # type: ignore[misc]
        except _USAGE_ERROR as error:
            _end_by_usage(error)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)  # type: ignore[misc]
        except _USAGE_ERROR as error:
            _end_by_usage(error)
        except BrokenPipeError:
            raise  # the reader of a pipe left (`seqdis list | head`): typer ends quietly
        except (InputError, OSError) as error:
            if not isinstance(error, ReportedElsewhere):
                typer.echo(f"error: {one_line(error)}", err=True)
            raise typer.Exit(INPUT_ERROR) from error
        except KeyboardInterrupt as error:
            _end_by_signal(str(error) or "interrupted", INTERRUPTED)
        except TrainingTerminated as error:
            _end_by_signal(error.message, TERMINATED)


class GroupWithOneLineErrors(_OneLineErrors, TyperGroup):
    """A group of commands whose errors are one line each."""


class CommandWithOneLineErrors(_OneLineErrors, TyperCommand):
    """A single command whose errors are one line each."""
