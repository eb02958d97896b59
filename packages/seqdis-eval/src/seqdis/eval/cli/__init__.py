"""``seqdis eval``: measurements of a trained run."""

from __future__ import annotations

import typer

from seqdis.eval.cli.bitrate import bitrate
from seqdis.eval.cli.classification import classification
from seqdis.eval.cli.consistency import consistency
from seqdis.eval.cli.content import content
from seqdis.eval.cli.few_steps import few_steps
from seqdis.eval.cli.generation import generation
from seqdis.eval.cli.leakage import leakage
from seqdis.eval.cli.prediction import prediction
from seqdis.eval.cli.priors import priors
from seqdis.eval.cli.published import published
from seqdis.eval.cli.reconstruction import reconstruction
from seqdis.eval.cli.report import report
from seqdis.eval.cli.speaker import speaker
from seqdis.eval.cli.swap import swap
from seqdis.eval.cli.traversal import traversal

__all__ = ["app"]

app = typer.Typer(
    no_args_is_help=True, help="Measure a trained run; each command writes one JSON file or one page."
)
app.command("bitrate")(bitrate)
app.command("classification")(classification)
app.command("consistency")(consistency)
app.command("content")(content)
app.command("few-steps")(few_steps)
app.command("generation")(generation)
app.command("leakage")(leakage)
app.command("prediction")(prediction)
app.command("priors")(priors)
app.command("published")(published)
app.command("reconstruction")(reconstruction)
app.command("report")(report)
app.command("speaker")(speaker)
app.command("swap")(swap)
app.command("traversal")(traversal)
