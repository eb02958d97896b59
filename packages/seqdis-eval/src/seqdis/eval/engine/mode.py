"""The two modes of every protocol."""

from __future__ import annotations

from typing import Literal

__all__ = ["Mode"]

Mode = Literal["corrected", "published"]
"""``"corrected"`` is sound; ``"published"`` does what the papers' figures came from, slips included."""
