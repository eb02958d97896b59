"""``seqdis publish``: a trained model that can be given away."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from seqdis.core.cli.options import Json, RunFolder, optional
from seqdis.core.cli.output import print_result
from seqdis.core.errors import InputError

__all__ = ["publish"]

_RESULT = "A file of results that were measured of the run; may be repeated."


def publish(
    run: RunFolder,
    out: Annotated[Path, optional("Folder of the model; its name is the model's.", "--out")],
    dtype: Annotated[
        Literal["float16", "bfloat16", "float32"], typer.Option("--dtype", help="Type of the weights.")
    ] = "float16",
    results: Annotated[list[Path] | None, optional(_RESULT, "--results", metavar="FILE")] = None,
    licence: Annotated[str, optional("Licence of the data; the dataset's when omitted.", "--licence")] = "",
    credit: Annotated[str, optional("Whose the data are; the dataset's when omitted.", "--credit")] = "",
    force: Annotated[bool, typer.Option("--force", help="Replace a folder that is there.")] = False,
    as_json: Json = False,
) -> None:
    """Copy a run's model into a folder of its own, with a card that says what it is.

    In `models/` of a clone, or in the folder that $SEQDIS_MODELS names, other commands find it by its name.
    """
    from seqdis.core.publishing import CARD, Terms, publish_model

    if out.exists() and not force:
        raise InputError(f"{out}: is there already; add --force to replace it")
    size = publish_model(run, out, dtype=dtype, results=results or [], terms=Terms(licence, credit))
    written = {"model": str(out), "card": str(out / CARD), "bytes": size}
    print_result(written, f"{out}: {size / 1e6:.1f} MB of weights, and {CARD}", as_json=as_json)
