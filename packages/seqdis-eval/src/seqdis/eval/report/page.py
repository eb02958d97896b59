"""A report as one HTML file that needs nothing else: no network, no scripts, no further files."""

from __future__ import annotations

import functools
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from seqdis.core.files import replace_file
from seqdis.eval.report.blocks import Report

__all__ = ["render", "write_report"]


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("seqdis.eval.report"),
        autoescape=True,  # names of files and labels are data, never markup
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["words"] = lambda name: str(name).replace("_", " ")
    return environment


def render(report: Report) -> str:
    """The page as text."""
    style = files(__package__).joinpath("templates/style.css").read_text(encoding="utf-8")
    return _environment().get_template("page.html").render(report=report, style=style)


def write_report(report: Report, path: Path) -> None:
    """Write the page; the file appears whole or not at all.

    Raises:
        InputError: The place cannot be written.
    """
    with replace_file(path) as partial:
        partial.write_text(render(report), encoding="utf-8")
