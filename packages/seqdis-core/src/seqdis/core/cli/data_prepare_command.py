"""``seqdis data prepare``: files cut, resized and resampled once, before anything is trained."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from seqdis.core.cli.options import Json, argument, optional
from seqdis.core.cli.output import print_json, print_line, progress_bar
from seqdis.core.largest_sizes import DEEPEST

__all__ = ["prepare"]

SOME_FAILED = 1
"""Exit code where some of the files could not be prepared."""
LISTED = 20
"""Number of failed files that are printed before the rest is counted."""
_OPTIONS = "Settings of the preparation, e.g. crop=face margin=0.3 size=64 fps=25."


def prepare(
    source: Annotated[Path, argument("IN", "Folder of files.")],
    out: Annotated[Path, argument("OUT", "Folder of the result, outside of IN.")],
    settings: Annotated[list[str] | None, argument("KEY=VALUE", _OPTIONS)] = None,
    modality: Annotated[
        str | None,
        optional("The kind of data; the one that reads most of the files when omitted.", "--modality"),
    ] = None,
    workers: Annotated[
        int | None,
        optional(
            "Number of processes; as many as there are cores when omitted.", "--workers", min=1, max=DEEPEST
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take away first what was prepared in OUT before.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Prepare every file below IN under the same path below OUT.

    Video: crop=face, centre or x,y,width,height; margin=, size=, fps=. Audio: silence is trimmed; silence_db=, margin=,
    sample_rate=. The command may be stopped and repeated: what is complete is not made again. Files that cannot be
    prepared are listed with the reason, in OUT/failed.json too; the exit code is then 1.
    """
    from seqdis.core.data.preparation import prepare_folder
    from seqdis.core.data.prepared_record import FAILED_FILE
    from seqdis.core.modality_choice import modality_of
    from seqdis.core.overrides import read_overrides
    from seqdis.core.registry import get_modality

    chosen = get_modality(modality) if modality else modality_of([source])
    with progress_bar("preparing", show=not as_json) as progress:
        result = prepare_folder(
            chosen,
            source,
            out,
            read_overrides(settings or []),
            workers=workers,
            force=force,
            progress=progress,
        )
    if as_json:
        rows: list[dict[str, Any]] = [{"source": one.source, "reason": one.reason} for one in result.failed]
        counts = {"prepared": result.prepared, "kept": result.kept, "gone": [*result.gone]}
        print_json({"out": str(out), "modality": chosen.name, **counts, "failed": rows})
    else:
        parts = [f"{result.prepared} prepared"]
        parts += [f"{result.kept} there already"] if result.kept else []
        parts += [f"{len(result.gone)} whose source is gone"] if result.gone else []
        parts += [f"{len(result.failed)} failed ({out / FAILED_FILE})"] if result.failed else []
        print_line(f"{out}: {', '.join(parts)}")
        for one in result.failed[:LISTED]:
            print_line(f"  {one.source}: {one.reason}")
        if len(result.failed) > LISTED:
            print_line(f"  and {len(result.failed) - LISTED} more")
    if result.failed:
        raise typer.Exit(SOME_FAILED)
