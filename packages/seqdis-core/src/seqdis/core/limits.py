"""The largest sizes that a file may claim; more is refused before memory is taken for it."""

from __future__ import annotations

import functools
import math
import os
from pathlib import Path
from typing import Literal

from pydantic import Field

from seqdis.core.base_config import Config, parse_config
from seqdis.core.errors import InputError

__all__ = ["SETTING", "Limits", "allowed_content", "check_claim", "check_size", "limits"]

SETTING = "SEQDIS_LIMITS"
"""The environment variable that changes limits, such as ``pixels=200000000,columns=50000``."""


class Limits(Config):
    """The largest numbers that a file may claim, for each of its bytes or at all (``docs/security.md``).

    A file of ``n`` bytes may hold ``max(content, expansion · n)`` values (bytes of a text that is unpacked, cells of a
    table, numbers of an array), and ``max(content, samples · n)`` samples of sound.
    """

    expansion: int = Field(
        40, ge=1, le=10**9, description="values that each byte of a compressed file may stand for"
    )
    samples: int = Field(100, ge=1, le=10**9, description="samples that each byte of a sound may stand for")
    content: int = Field(
        1 << 24, ge=1, le=1 << 48, description="values that any file may hold, however small it is"
    )
    codes: int = Field(
        8, ge=1, le=10**9, description="codes that each byte of a code stream may stand for, beyond 2^20"
    )
    pixels: int = Field(1 << 25, ge=1, le=1 << 40, description="pixels of one picture")
    animation: int = Field(
        1 << 30, ge=1, le=1 << 48, description="pixels of all pictures of an animation together"
    )
    steps: int = Field(
        1 << 22,
        ge=1,
        le=1 << 48,
        description="steps for which the pictures of any clip are shown, however few they are",
    )
    columns: int = Field(1 << 14, ge=1, le=1 << 31, description="columns of a table or an array")
    parameters: int = Field(1 << 31, ge=1, le=1 << 48, description="numbers in the weights of a model")


def limits() -> Limits:
    """The limits that hold in this process: the defaults, changed by :data:`SETTING`.

    Raises:
        InputError: The variable names an unknown limit, or a value out of range.
    """
    return _read(os.environ.get(SETTING, ""))


@functools.lru_cache(maxsize=8)
def _read(text: str) -> Limits:
    values = {}
    for part in text.replace(",", " ").split():
        name, equals, value = part.partition("=")
        if not equals:
            raise InputError(f"{SETTING}: {part!r} is not of the form name=number")
        values[name] = value
    return parse_config(Limits, values, where=SETTING)


def check_claim(
    path: str | Path,
    claimed: float,
    size: int,
    *,
    what: str,
    limit: Literal["expansion", "samples"] = "expansion",
) -> None:
    """Refuse a file that claims to hold more than its size makes likely.

    Args:
        path: The file's name, for the message.
        claimed: Number of values that it claims, or that were found so far.
        size: Size of the file in bytes.
        what: The values in words (``"samples"``).
        limit: The limit of :class:`Limits` that holds for each byte.

    Raises:
        InputError: There are more than ``max(content, limit · size)``.
    """
    most = allowed_content(size, limit)
    if claimed > most:
        needed = math.ceil(claimed / max(1, size))
        raise InputError(
            f"{path}: {claimed:.0f} {what} in a file of {size} bytes; allowed: {most}, or a larger {SETTING}={limit}={needed}"
        )


def allowed_content(size: int, limit: Literal["expansion", "samples"] = "expansion") -> int:
    """Number of values that a file of ``size`` bytes may hold; see :class:`Limits`."""
    return max(limits().content, int(getattr(limits(), limit)) * size)


def check_size(path: str | Path, claimed: int, limit: str, *, what: str) -> None:
    """Refuse a file that exceeds a limit that does not depend on its size.

    Args:
        path: The file's name, for the message.
        claimed: The number that it claims.
        limit: Name of the limit in :class:`Limits`.
        what: The claimed thing in words (``"columns"``).

    Raises:
        InputError: The number is above the limit.
    """
    most = int(getattr(limits(), limit))
    if claimed > most:
        raise InputError(
            f"{path}: {claimed} {what}; allowed: {most}, or a larger {SETTING}={limit}={claimed}"
        )
