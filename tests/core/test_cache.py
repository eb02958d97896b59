"""Where the cache is."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdis.core.cache import cache_root
from seqdis.core.ops._build import cache_folder


def test_the_cache_is_named_or_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEQDIS_CACHE", "SEQDIS_KERNELS", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    assert cache_root() == Path.home() / ".cache" / "seqdis"
    monkeypatch.setenv("XDG_CACHE_HOME", "caches")
    assert cache_root() == Path("caches/seqdis")
    monkeypatch.setenv("SEQDIS_CACHE", "mine")
    assert cache_root() == Path("mine")
    assert cache_folder() == Path("mine/kernels")
