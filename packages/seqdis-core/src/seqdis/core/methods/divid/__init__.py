"""DiViD: video diffusion with shared noise and attention to two tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.methods.divid.config import DiViDConfig
    from seqdis.core.methods.divid.method import DiViD

__all__ = ["DiViD", "DiViDConfig"]

__getattr__, __dir__ = lazy_names(__name__, {"config": ["DiViDConfig"], "method": ["DiViD"]})
