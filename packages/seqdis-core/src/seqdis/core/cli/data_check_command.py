"""``seqdis data check``: what a folder holds and how a training would use it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from seqdis.core.cli.options import Json, Overrides, argument, optional
from seqdis.core.cli.output import print_json, print_line, print_table
from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.folder_report import FolderReport

__all__ = ["check"]

_PRESET = "The preset to check for; the one for a person's own files when omitted."
_MODALITY = "The modality that reads the files; the one that reads most of them when omitted."
_HTML = "Also write a page with a picture of a few sequences here."
_PICTURE = "Also draw a few sequences here."


def check(
    folder: Annotated[Path, argument("FOLDER", "A folder of files, or one file.")],
    overrides: Overrides = None,
    preset: Annotated[str | None, optional(_PRESET, "--preset")] = None,
    modality: Annotated[str | None, optional(_MODALITY, "--modality")] = None,
    html: Annotated[Path | None, optional(_HTML, "--html")] = None,
    picture: Annotated[Path | None, optional(_PICTURE, "--picture")] = None,
    as_json: Json = False,
) -> None:
    """Say what a training would read from a folder: files used and left out, lengths, splits, windows an epoch.

    Files are read by the same code as in training. What cannot be read is listed with the reason.
    """
    from seqdis.core.config import apply_overrides
    from seqdis.core.data.discovery import refuse_shards
    from seqdis.core.folder_report import example_panels, report_folder
    from seqdis.core.folder_report_page import write_page
    from seqdis.core.media import draw_picture
    from seqdis.core.registry import get_modality, get_preset

    if not folder.exists():
        raise InputError(f"{folder}: no such file or folder")
    refuse_shards(folder)
    config = apply_overrides(get_preset(preset or _starter(folder, modality)), overrides or [])
    if modality not in (None, config.modality):
        raise InputError(f"--modality {modality}: preset {config.preset!r} is of {config.modality}")
    logging.getLogger("seqdis.core.data").setLevel(logging.ERROR)  # the report itself says what is left out
    report = report_folder(config, folder)
    plugin = get_modality(config.modality)
    if picture is not None or html is not None:
        panels = example_panels(config, folder)
        data = config.data.model_validate(report.data)
        if picture is not None:
            draw_picture(plugin, picture, [[panel] for panel in panels], data)
        if html is not None:
            write_page(html, report, plugin, panels)
    if as_json:
        print_json(report.as_json())
    else:
        _print(report)


def _starter(folder: Path, modality: str | None) -> str:
    """The preset for a person's own files of the modality that reads most of what lies in a folder."""
    from seqdis.core.data.discovery import find_inputs
    from seqdis.core.registry import get_modality, list_modalities

    counts: dict[str, int] = {}
    for name in list_modalities() if modality is None else [modality]:
        if get_modality(name).starter() is not None:
            try:
                counts[name] = len(find_inputs(get_modality(name), [folder]).paths)
            except InputError as error:
                if modality is not None:
                    raise
                problem = error
    if not counts:
        if modality is not None:
            raise InputError(
                f"--modality {modality}: has no preset for a person's own files; name one by --preset"
            )
        kinds = sorted({kind for name in list_modalities() for kind in get_modality(name).reads})
        raise InputError(
            f"{folder}: holds no file that an installed modality reads; known: {', '.join(kinds)}"
        ) from problem
    most = max(counts, key=lambda name: counts[name])
    return str(get_modality(most).starter())


def _print(report: FolderReport) -> None:
    from seqdis.core.folder_report_page import facts_of

    print_table(report.folder, ["what", "value"], facts_of(report))
    print_table(
        "splits: " + report.rule,
        ["split", "recordings", "windows"],
        [
            [name, size.recordings, f"{size.windows} an epoch" if name == "train" else size.windows]
            for name, size in report.splits.items()
        ],
    )
    print_table(
        "presets for a person's own files",
        ["preset", "steps", "frame", "recordings as long"],
        [
            [fit.preset, fit.length, "x".join(map(str, fit.frame_shape)) or "as the files", fit.whole]
            for fit in report.fits
        ],
    )
    for sentence in report.advice:
        print_line(f"note: {sentence}")
