"""``seqdis data``: the commands that look at files and make them ready, before anything is trained."""

from __future__ import annotations

import typer

from seqdis.core.cli.data_check_command import check
from seqdis.core.cli.data_encode_command import encode
from seqdis.core.cli.data_prepare_command import prepare

__all__ = ["data"]

data = typer.Typer(
    no_args_is_help=True, help="Look at files, and make them ready, before anything is trained."
)


@data.callback()
def _group() -> None:
    """Look at files, and make them ready, before anything is trained."""


data.command()(check)
data.command()(encode)
data.command()(prepare)
