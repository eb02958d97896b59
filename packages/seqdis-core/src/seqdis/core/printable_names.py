"""Names of files whose bytes are no UTF-8, as texts that every file and every terminal can hold."""

from __future__ import annotations

__all__ = ["printable"]


def printable(name: str) -> str:
    r"""A name in which bytes that are no UTF-8 stand as escapes (``caf\udce9.wav``); any other name as it is.

    An operating system takes any bytes for a name, and Python keeps those that are no text as half of a character,
    which neither a table nor a terminal can hold.
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
