"""Whether the first line of a text table names its columns or is a row."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seqdis.core.errors import InputError
from seqdis.timeseries.date_texts import looks_like_a_time
from seqdis.timeseries.decimal_marks import MISSING

__all__ = ["has_header"]

_NUMBER = re.compile(r"[+-]?(\d[\d.,'\u00a0\u202f ]*|[.,]\d+)([eE][+-]?\d+)?|[+-]?inf(inity)?", re.IGNORECASE)


def has_header(first: Sequence[str], name: str) -> bool:
    """Whether the fields of the first line are names: texts are, numbers and times are a row.

    A table that pandas wrote has 0, 1, 2, … as names, behind an empty one or the name of its index.

    Raises:
        InputError: The fields may be either.
    """
    cells = [field.strip() for field in first]
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    times = [cell for cell in cells if cell not in numbers and looks_like_a_time(cell)]
    empty = [cell for cell in cells if cell in MISSING]
    texts = [cell for cell in cells if cell not in numbers and cell not in times and cell not in empty]
    counted = numbers == [str(i) for i in range(len(numbers))]
    if not numbers and not times:
        return True
    if counted and len(numbers) == len(cells) - 1 and not _NUMBER.fullmatch(cells[0]) and not times:
        return True
    if not texts and not (counted and len(numbers) == len(cells) > 1):
        return False
    shown = ", ".join(cells[:5]) + (", …" if len(cells) > 5 else "")
    raise InputError(f"{name}: line 1 is {shown}; allowed: header=true (names), or header=false (a row)")
