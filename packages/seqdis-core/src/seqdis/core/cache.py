"""The folder of files that can be computed again."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["cache_root"]


def cache_root() -> Path:
    """``SEQDIS_CACHE``, or ``seqdis`` in the user's cache (``XDG_CACHE_HOME``, ``~/.cache``)."""
    if named := os.environ.get("SEQDIS_CACHE"):
        return Path(named).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "seqdis"
