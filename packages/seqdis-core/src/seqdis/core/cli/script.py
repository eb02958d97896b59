"""A script of one's own as a command: options from a function's signature, and errors as one line."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import typer

from seqdis.core.cli.one_line_errors import CommandWithOneLineErrors

__all__ = ["run_script", "script_command"]


def run_script(main: Callable[..., None]) -> None:
    """Run a function as the command that its file is, and exit.

    Its parameters become arguments and options, as typer takes them from their annotations (those of
    :mod:`seqdis.core.cli.options` among others), and the docstring of its file becomes the text of ``--help``. An
    :class:`~seqdis.core.errors.InputError` is printed as one line and ends the process with code 2.

    Args:
        main: The function that does the work.
    """
    text = sys.modules["__main__"].__doc__ or ""
    app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
    # \b keeps the lines of a paragraph as they are.
    paragraphs = "\n\n".join(f"\b\n{paragraph}" for paragraph in text.strip().split("\n\n"))
    app.command(cls=CommandWithOneLineErrors, help=paragraphs)(main)
    app()


def script_command() -> str:
    """The command that started the running script, as a person types it in the script's folder."""
    return shlex.join(["python", Path(sys.argv[0]).name, *sys.argv[1:]])
