"""``seqdis eval``: measurements of a trained run, a command a protocol."""

from __future__ import annotations

import typer

from seqdis.eval.cli.protocol_group import ProtocolGroup
from seqdis.eval.cli.published_command import published
from seqdis.eval.cli.report_command import report

__all__ = ["app"]

app = typer.Typer(
    cls=ProtocolGroup,
    no_args_is_help=True,
    help="Measure a trained run; each command writes one JSON file and one page.",
)
app.command("published")(published)
app.command("report")(report)
