"""``seqdis list``: what is installed."""

from __future__ import annotations

import functools
import os
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqdis.core.cli.options import Json
from seqdis.core.cli.output import print_json, print_table
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.modality import Modality

__all__ = ["Kind", "dataset_rows", "list_", "modality_rows"]


class Kind(StrEnum):
    """What can be listed."""

    modalities = "modalities"
    methods = "methods"
    presets = "presets"
    datasets = "datasets"
    samplers = "samplers"
    priors = "priors"


def list_(
    kind: Annotated[Kind | None, typer.Argument(show_default=False, help="All when omitted.")] = None,
    as_json: Json = False,
) -> None:
    """List the installed modalities, methods, presets, datasets, samplers and priors."""
    tables = {
        "modalities": modality_rows,
        "methods": functools.partial(_plugin_rows, "methods"),
        "presets": _presets,
        "datasets": dataset_rows,
        "samplers": _sampler_rows,
        "priors": functools.partial(_plugin_rows, "priors"),
    }
    chosen = {name: build() for name, build in tables.items() if kind in (None, name)}
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


def _installed() -> tuple[list[Modality], dict[str, str]]:
    """The modalities that load, and by name why another does not."""
    from seqdis.core.registry import get_modality, list_modalities

    loaded, broken = [], {}
    for name in list_modalities():
        try:
            loaded.append(get_modality(name))
        except InputError as error:
            broken[name] = str(error)
    return loaded, broken


def modality_rows() -> list[dict[str, Any]]:
    """What ``seqdis list modalities`` shows; one that cannot be used says why in its summary."""
    loaded, broken = _installed()
    rows: list[dict[str, Any]] = [
        {
            "name": m.name,
            "summary": m.summary,
            "reads": ["folder of images" if kind == "/" else kind for kind in m.reads],
            "writes": [*m.writes],
            "pictures": [*m.pictures],
            "demo": m.demo(),
        }
        for m in loaded
    ]
    empty: dict[str, Any] = {"reads": [], "writes": [], "pictures": [], "demo": None}
    return rows + [
        {"name": name, "summary": f"cannot be used: {why}", **empty} for name, why in broken.items()
    ]


def _plugin_rows(group: str) -> list[dict[str, Any]]:
    """The name of each plugin of a group and the first line of its docstring, or why it cannot be used."""
    from seqdis.core.registry import get_plugin, list_plugins

    rows = []
    for name in list_plugins(group):
        try:
            text = (get_plugin(group, name).__doc__ or "").strip().split("\n")[0]
        except InputError as error:
            text = f"cannot be used: {error}"
        rows.append({"name": name, "summary": text})
    return rows


def _sampler_rows() -> list[dict[str, Any]]:
    from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
    from seqdis.core.registry import get_sampler

    rows = _plugin_rows("samplers")
    for row in rows:
        try:
            fields = get_sampler(row["name"]).config_class.model_fields
        except InputError:
            fields = {}
        row["settings"] = [name for name in fields if name not in SamplerConfig.model_fields]
    return rows


def _presets() -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "modality": preset.modality,
            "method": preset.method,
            "dataset": preset.data.dataset,
            "steps": preset.data.length,
            "frame": [*preset.data.frame_shape],
        }
        for modality in _installed()[0]
        for name, preset in modality.presets().items()
    ]


def dataset_rows() -> list[dict[str, Any]]:
    """What ``seqdis list datasets`` shows, with the place where each was found."""
    base = os.environ.get("SEQDIS_DATA")
    rows = []
    for modality in _installed()[0]:
        for name, spec in modality.datasets().items():
            if spec.folder is None:
                place = "generated"
            elif base and os.path.isdir(os.path.join(base, spec.folder)):
                place = os.path.join(base, spec.folder)
            else:
                place = None
            labels = {
                side: [n for n, x in spec.labels.items() if x.factor == side]
                for side in ("static", "dynamic")
            }
            rows.append(
                {
                    "name": name,
                    "modality": modality.name,
                    "summary": spec.summary,
                    **labels,
                    "folder": spec.folder,
                    "found": place,
                    "source": spec.source,
                }
            )
    return rows
