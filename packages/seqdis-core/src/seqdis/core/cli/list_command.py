"""``seqdis list``: what is installed."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer

from seqdis.core.cli.options import Json
from seqdis.core.cli.output import print_json, print_table

__all__ = ["Kind", "list_"]


class Kind(StrEnum):
    """The kinds of plugin that can be listed."""

    modalities = "modalities"
    methods = "methods"
    presets = "presets"
    datasets = "datasets"
    samplers = "samplers"
    priors = "priors"
    executors = "executors"


def list_(
    kind: Annotated[Kind | None, typer.Argument(show_default=False, help="All when omitted.")] = None,
    as_json: Json = False,
) -> None:
    """List the installed modalities, methods, presets, datasets, samplers, priors and executors."""
    from seqdis.core import installed

    tables = {
        "modalities": installed.modality_rows,
        "methods": installed.method_rows,
        "presets": installed.preset_rows,
        "datasets": installed.dataset_rows,
        "samplers": installed.sampler_rows,
        "priors": installed.prior_rows,
        "executors": installed.executor_rows,
    }
    chosen = {name: rows() for name, rows in tables.items() if kind in (None, name)}
    if as_json:
        print_json(chosen if kind is None else chosen[kind])
        return
    for name, rows in chosen.items():
        columns = list(rows[0]) if rows else ["none is installed"]
        print_table(name, columns, [[_cell(row[c]) for c in columns] for row in rows])


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value))
    return "" if value is None else str(value)
