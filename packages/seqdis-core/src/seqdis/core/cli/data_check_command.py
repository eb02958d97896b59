"""``seqdis data check``: what a folder holds and how a training would use it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from seqdis.core.cli.options import Json, Overrides, argument, optional
from seqdis.core.cli.output import print_json, print_line, print_table, without_warnings
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
    from seqdis.core.data.tar_shards import is_there
    from seqdis.core.folder_report import example_panels, report_folder
    from seqdis.core.folder_report_page import write_page
    from seqdis.core.media import draw_picture
    from seqdis.core.registry import get_modality, get_preset

    if not is_there(folder):
        raise InputError(f"{folder}: no such file or folder")
    refuse_shards(folder)
    config = apply_overrides(get_preset(preset or _starter(folder, modality)), overrides or [])
    if modality not in (None, config.modality):
        raise InputError(f"--modality {modality}: preset {config.preset!r} is of {config.modality}")
    plugin = get_modality(config.modality)
    with without_warnings("seqdis.core.data"):  # the report itself says what is left out
        report = report_folder(config, folder)
        panels = [] if picture is None and html is None else example_panels(config, folder)
    if panels:
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
    from seqdis.core.modality_choice import modality_of
    from seqdis.core.registry import get_modality

    chosen = modality_of([folder]) if modality is None else get_modality(modality)
    preset = chosen.starter()
    if preset is None:
        raise InputError(
            f"modality {chosen.name}: has no preset for a person's own files; name one by --preset"
        )
    return preset


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
