"""The one command behind all protocols, built from the options that a protocol declares."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import typer
from pydantic.fields import FieldInfo

from seqdis.core.cli.model import load_model
from seqdis.core.cli.options import Data, Device, Json, Seed, run_folders
from seqdis.core.cli.output import progress_bar
from seqdis.core.config import Config, parse_config
from seqdis.core.errors import InputError
from seqdis.core.metric import NotFiniteFigureError
from seqdis.core.run_lock import writing_to
from seqdis.eval.cli.publishing import Publication, publish, record_path
from seqdis.eval.cli.runs import open_runs
from seqdis.eval.engine.mode import Mode
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.protocol import Protocol

__all__ = ["protocol_command"]

Runs = Annotated[
    list[Path],
    typer.Argument(
        metavar="RUN",
        show_default=False,
        callback=run_folders,
        help="Folders of runs: one, or trainings of one preset with other seeds, whose figures are averaged.",
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        "--out",
        show_default=False,
        help="The JSON file, with a page of the same name; RUN/eval/PROTOCOL/metrics.json, report.html when omitted.",
    ),
]


def protocol_command(protocol: type[Protocol]) -> Callable[..., None]:
    """A typer function with the runs, the protocol's options, and those of every command."""
    fields = protocol.Options.model_fields
    shared: dict[str, tuple[Any, Any]] = {
        "out": (Out, None),
        "seed": (Seed, 0),
        "data": (Data, None),
        "device": (Device, None),
        "as_json": (Json, False),
    }

    def command(runs: list[Path], **values: Any) -> None:
        common = {name: values.pop(name) for name in shared}
        given = {name: value for name, value in values.items() if value is not None}
        options = parse_config(protocol.Options, given, where=f"eval {protocol.name}")
        run_protocol(protocol(), runs, options, **common)

    parameters = [_parameter("runs", Runs, inspect.Parameter.empty)]
    parameters += [_parameter(name, _option(name, field), _default(field)) for name, field in fields.items()]
    parameters += [_parameter(name, kind, default) for name, (kind, default) in shared.items()]
    command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    command.__doc__ = inspect.getdoc(protocol)
    return command


def run_protocol(
    protocol: Protocol,
    folders: list[Path],
    options: Config,
    *,
    out: Path | None = None,
    seed: int = 0,
    data: Path | None = None,
    device: str | None = None,
    as_json: bool = False,
) -> None:
    """Open the runs, measure them, and write and show the figures.

    Raises:
        FolderInUseError: Another process writes into the run that the figures are to lie in.
        InputError: The protocol does not apply to a run, a figure is not finite, or see
            :func:`~seqdis.eval.cli.runs.open_runs`.
    """
    started = time.perf_counter()
    if protocol.several_runs == "refused" and len(folders) > 1:
        raise InputError(f"{protocol.name} measures one run; got {len(folders)}")
    protocol.check(options, folders)
    mode: Mode = getattr(options, "mode", "corrected")
    path = record_path(protocol.name, folders, out, mode)
    with writing_to(path):
        decoding: dict[str, Any] = {
            "steps": getattr(options, "steps", None),
            "sampler": getattr(options, "sampler", None),
            "settings": getattr(options, "model", ()),
        }
        one_method = protocol.several_runs == "averaged"
        runs = open_runs(folders, data=data, device=device, one_method=one_method, **decoding)
        for run in runs:
            if not protocol.applies_to(run):
                dataset = run.config.data.dataset
                raise InputError(
                    f"{run.folder}: {protocol.name} needs {protocol.requires}; method {run.config.method!r} on "
                    f"{dataset!r} has none"
                )
        context = Context(
            runs,
            options,
            seed=seed,
            data=data,
            load=lambda folder: load_model(folder, device=device, **decoding),
            bar=progress_bar,
            note=lambda text: typer.echo(f"note: {text}", err=True),
        )
        try:
            metrics = protocol.measure(context)
        except NotFiniteFigureError as error:
            raise InputError(f"{', '.join(map(str, folders))}: {protocol.name}: {error}") from error
        publish(Publication(protocol, context, metrics, path, started), as_json=as_json)


def _parameter(name: str, kind: Any, default: Any) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True)
    return None if value == () else value


def _option(option_name: str, field: FieldInfo) -> Any:
    """A field as typer takes an option: its type, its range and its help."""
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    bounds = {
        name: getattr(limit, attribute)
        for limit in field.metadata
        for name, attribute in (("min", "ge"), ("max", "le"))
        if hasattr(limit, attribute)
    }
    help_text = (field.description or "").strip()
    flag = f"--{option_name.replace('_', '-')}"
    flags = [f"{flag}/--no-{flag.removeprefix('--')}"] if field.annotation is bool else [flag]
    kind: Any = field.annotation
    several = get_origin(kind) is tuple
    if several:
        inner = get_args(kind)[0]
        # Bounds on each of several values are those of the options' class.
        kind = list[get_args(inner)[0] if get_origin(inner) is Annotated else inner] | None  # type: ignore[misc]
    optional = several or (get_origin(kind) in (Union, UnionType) and type(None) in get_args(kind))
    option = typer.Option(
        *flags,
        help=f"{_capitalised(help_text)}.",
        metavar=None if extra.get("metavar") is None else str(extra["metavar"]),
        show_default=not optional,
        **bounds,
    )
    return Annotated[kind, option]


def _capitalised(text: str) -> str:
    """A text with a capital first letter; a symbol that it begins with, such as α or k, stays as it is."""
    word = text.partition(" ")[0]
    return text if (len(word) == 1 and word != "a") or not word.isascii() else text[:1].upper() + text[1:]
