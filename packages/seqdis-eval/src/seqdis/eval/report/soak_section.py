"""A section of a page with the counts of the soak: kills, full disks, second writers, damaged files and models."""

from __future__ import annotations

import json
from pathlib import Path

from seqdis.core.errors import InputError
from seqdis.eval.report.markdown import markdown_table

__all__ = ["soak_section"]

_DISTURBANCES = (
    ("kills", "kills", "SIGKILLs"),
    ("full disks", "full", "full disks"),
    ("second writers", "at a time", "second writers"),
)
"""Part of the counts, the number that is shown, and the heading of its column."""


def soak_section(path: Path, *, link: str) -> list[str]:
    """The lines of a page about the counts of a soak: a row a command, and a sentence about files and models.

    Args:
        path: JSON file of the counts.
        link: The file's address, for the page.

    Raises:
        InputError: The file lacks a part of the counts.
    """
    values = json.loads(path.read_text(encoding="utf-8"))
    try:
        commands = sorted({name for part, _, _ in _DISTURBANCES for name in values[part]})
        rows = [
            [
                command,
                *(str(values[part].get(command, {}).get(count, 0)) for part, count, _ in _DISTURBANCES),
                str(sum(values[part].get(command, {}).get("failed", 0) for part, _, _ in _DISTURBANCES)),
            ]
            for command in commands
        ]
        totals = values["totals"]
        files = (
            f"{totals['inputs']} damaged files of {totals['readers']} readers were read or refused in one line, "
            f"{totals['failed']['inputs']} were not; the slowest took {totals['worst seconds of an input']} s, the largest "
            f"peak was {totals['peak MB of an input']} MB. Of {totals['hostile models']} hostile models "
            f"{totals['failed']['hostile models']} did what they must not."
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: counts of a soak lack {error}") from error
    header = ["command", *(title for _, _, title in _DISTURBANCES), "runs that lost or left something"]
    return [
        "## Soak",
        "",
        f"`nox -s soak`, all runs together: [{link}]({link}).",
        "",
        *markdown_table(header, rows, right=len(header) - 1),
        "",
        files,
        "",
    ]
