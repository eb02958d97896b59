"""The two files of a fitted prior, the same for every kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from torch import nn

from seqdis.core.allocation_limit import as_large_as
from seqdis.core.config import Config
from seqdis.core.errors import InputError
from seqdis.core.files import replace_directory, replace_with_json, replace_with_tensors
from seqdis.core.loaded_weights import fitting_weights
from seqdis.core.reading import read_json, read_tensors, readable

__all__ = ["read_prior_files", "write_prior_files"]

P = TypeVar("P", bound=nn.Module)


def _format(kind: str) -> str:
    return f"seqdis.prior.{kind}.1"


def write_prior_files(
    folder: str | Path,
    prior: nn.Module,
    *,
    kind: str,
    config: Config,
    sizes: Mapping[str, Any],
    about: Mapping[str, Any] | None,
) -> None:
    """Write ``prior.json`` and ``prior.safetensors`` into a folder that appears whole or not at all.

    Args:
        folder: The folder to write; an earlier one is replaced.
        prior: The fitted prior whose tensors are written.
        kind: The name of the prior's entry point.
        config: The prior's settings.
        sizes: Further arguments needed to build the prior again, as plain JSON values.
        about: Origin of the prior, kept in ``prior.json`` beside the settings.
    """
    values = {
        "format": _format(kind),
        "config": config.model_dump(mode="json"),
        **sizes,
        "about": dict(about or {}),
    }
    with replace_directory(Path(folder)) as partial:
        replace_with_json(partial / "prior.json", values)
        replace_with_tensors(partial / "prior.safetensors", prior.state_dict(), {"format": "pt"})


def read_prior_files(folder: str | Path, *, kind: str, build: Callable[[Mapping[str, Any], str], P]) -> P:
    """Read what :func:`write_prior_files` wrote.

    Args:
        folder: The folder to read.
        kind: The name of the prior's entry point, as it was written.
        build: A function that builds an unfitted prior from the values in ``prior.json`` and that file's
            name, for messages.

    Raises:
        InputError: A file is missing, damaged, of another format, or the two disagree; a tensor is not of a floating
            type or not finite.
    """
    path = Path(folder)
    values = read_json(path / "prior.json", kind="a prior")
    with readable(path, "a prior"):
        if values.get("format") != _format(kind):
            raise InputError(
                f"{path}: format {values.get('format')!r:.80}; this reader needs {_format(kind)!r}"
            )
        state = read_tensors(path / "prior.safetensors", kind="a prior")
        with as_large_as(state, path):
            prior = build(values, str(path / "prior.json"))
    tensors = fitting_weights(
        state, prior.state_dict(), where=str(path), misfit="prior.json and prior.safetensors disagree"
    )
    try:
        prior.load_state_dict(tensors)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    return prior.eval()
