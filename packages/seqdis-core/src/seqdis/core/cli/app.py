"""The typer application: core's commands, those of other distributions, and how errors end.

A distribution adds a command by an entry point that names a typer function (or application)::

    [project.entry-points."seqdis.commands"]
    evaluate = "seqdis.eval.cli:evaluate"
"""

from __future__ import annotations

import io
import sys
from importlib.metadata import EntryPoint, version
from typing import Annotated, Any

import typer
from typer.main import get_command

from seqdis.core.cli.data_commands import data
from seqdis.core.cli.demo_command import demo
from seqdis.core.cli.doctor_command import doctor
from seqdis.core.cli.encode_command import encode
from seqdis.core.cli.kernels_command import kernels
from seqdis.core.cli.list_command import list_
from seqdis.core.cli.one_line_errors import GroupWithOneLineErrors, one_line
from seqdis.core.cli.prior_command import prior
from seqdis.core.cli.publish_command import publish
from seqdis.core.cli.reconstruct_command import reconstruct
from seqdis.core.cli.sample_command import sample
from seqdis.core.cli.swap_command import swap
from seqdis.core.cli.train_command import train
from seqdis.core.cli.traverse_command import traverse
from seqdis.core.errors import InputError
from seqdis.core.plugins import plugin_points

__all__ = ["app"]


def _broken(point: EntryPoint, error: Exception) -> Any:
    def unavailable() -> None:
        raise InputError(f"command {point.name!r} ({point.value}) cannot be loaded: {error}")

    unavailable.__doc__ = f"(cannot be loaded: {one_line(error)})"
    return unavailable


def _load(point: EntryPoint) -> Any:
    try:
        loaded = point.load()
    except Exception as error:  # one broken distribution must not take the other commands along
        loaded = _broken(point, error)
    if isinstance(loaded, typer.Typer):
        return get_command(loaded)
    single = typer.Typer(add_completion=False)
    single.command(name=point.name)(loaded)
    return get_command(single)


class _Group(GroupWithOneLineErrors):
    """A group that finds other distributions' commands when they are called."""

    def _points(self) -> dict[str, EntryPoint]:
        return {p.name: p for p in plugin_points("commands").values() if p.name not in self.commands}

    def list_commands(self, ctx: Any) -> list[str]:
        return [*super().list_commands(ctx), *sorted(self._points())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        point = self._points().get(cmd_name)
        return super().get_command(ctx, cmd_name) if point is None else _load(point)


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seqdis {version('seqdis-core')}")
        raise typer.Exit


@app.callback()
def _root(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Split sequences into what stays and what moves, and mix them anew."""
    if isinstance(
        sys.stdout, io.TextIOWrapper
    ):  # a name of a file may hold what is no text, or no letter here
        sys.stdout.reconfigure(errors="backslashreplace")


app.command("list")(list_)
for _command in (demo, train, encode, reconstruct, swap, sample, traverse, publish, doctor):
    app.command()(_command)
app.add_typer(data, name="data")
app.add_typer(prior, name="prior")
app.add_typer(kernels, name="kernels")
