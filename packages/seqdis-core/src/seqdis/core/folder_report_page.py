"""A report about a folder of files as a table and as a page."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from seqdis.core.config import DataConfig
from seqdis.core.data.discovery import describe_left_out
from seqdis.core.files import replace_file
from seqdis.core.folder_report import FolderReport, Spread
from seqdis.core.modality import Modality, Panel

__all__ = ["facts_of", "write_page"]

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem 1rem .2rem 0; vertical-align: top;
border-bottom: 1px solid #ddd; } img { max-width: 100%; } .note { background: #fff6dd; padding: .5rem .8rem; }
@media (prefers-color-scheme: dark) { body { background: #181818; color: #ddd; } td, th { border-color: #444; }
.note { background: #443a18; } img { background: #fff; } }
"""


def facts_of(report: FolderReport) -> list[tuple[str, str]]:
    """The report's facts as rows of two cells."""
    rows = [
        ("files used", f"{report.files}, {report.recordings} recordings"),
        ("modality, preset", f"{report.modality}, {report.preset}"),
        ("steps of a recording", _spread(report.steps)),
        *((name, _spread(spread)) for name, spread in report.facts.items()),
        ("frame", "x".join(map(str, report.data["frame_shape"]))),
        ("steps of a sequence", str(report.data["length"])),
        ("entries not measured", f"{100 * report.missing:.3g}%"),
    ]
    if report.labels:
        rows.append(
            ("labels", ", ".join(f"{name} ({count} classes)" for name, count in report.labels.items()))
        )
    return rows + [("left out", line) for line in describe_left_out(report.left_out)]


def _spread(spread: Spread) -> str:
    if spread.least == spread.most:
        return f"{spread.least:g}"
    return f"{spread.least:g} to {spread.most:g}, median {spread.median:g}"


def write_page(path: Path, report: FolderReport, modality: Modality, panels: Sequence[Panel]) -> None:
    """Write the report as one page, with a picture of some sequences in it where the modality draws one.

    Args:
        path: The page, ``.html``.
        report: The report to be shown.
        modality: The modality that draws.
        panels: The sequences to draw.

    Raises:
        InputError: The page cannot be written.
    """
    splits = [
        (name, str(size.recordings), f"{size.windows} an epoch" if name == "train" else str(size.windows))
        for name, size in report.splits.items()
    ]
    fits = [
        (fit.preset, str(fit.length), "x".join(map(str, fit.frame_shape)) or "as the files", str(fit.whole))
        for fit in report.fits
    ]
    parts = [
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(report.folder)}</title>",
        f"<meta name=viewport content='width=device-width'><style>{_STYLE}</style>",
        f"<h1>{escape(report.folder)}</h1>",
        *(f"<p class=note>{escape(sentence)}</p>" for sentence in report.advice),
        _table(("what", "value"), facts_of(report)),
        _picture(modality, panels, DataConfig.model_validate(report.data)),
        f"<h2>Splits</h2><p>{escape(report.rule)}</p>",
        _table(("split", "recordings", "windows"), splits),
        "<h2>Presets for a person's own files</h2>",
        _table(("preset", "steps", "frame", "recordings as long"), fits),
    ]
    with replace_file(path) as partial:
        partial.write_text("\n".join(part for part in parts if part), encoding="utf-8")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["".join(f"<th>{escape(cell)}</th>" for cell in head)]
    lines += ["".join(f"<td>{escape(cell)}</td>" for cell in row) for row in rows]
    return "<table>" + "".join(f"<tr>{line}</tr>" for line in lines) + "</table>"


def _picture(modality: Modality, panels: Sequence[Panel], data: DataConfig) -> str:
    if ".png" not in modality.pictures:
        return ""
    with tempfile.TemporaryDirectory(prefix="seqdis-check-") as folder:
        path = Path(folder, "sequences.png")
        modality.draw(path, [[panel] for panel in panels], data)
        content = base64.b64encode(path.read_bytes()).decode()
    alt = escape("; ".join(panel.title for panel in panels), quote=True)
    return f"<h2>A few sequences</h2><img alt=\"{alt}\" src='data:image/png;base64,{content}'>"
