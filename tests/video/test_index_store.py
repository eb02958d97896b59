"""Indices on the disk: built once, rebuilt when the file or what was stored changes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.video.encoding import encode, moving

from seqdis.video import index_store
from seqdis.video.index_store import file_version, load_index


@pytest.fixture
def builds(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[Path]:
    """The files that were indexed anew, with a cache of its own."""
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    built = list[Path]()
    build = index_store.index_container
    monkeypatch.setattr(index_store, "index_container", lambda path: built.append(path) or build(path))
    return built


def _load(path: Path) -> int:
    load_index.cache_clear()  # as another process would
    return len(load_index(path, file_version(path)).stamps)


def test_a_file_is_indexed_once(builds: list[Path], tmp_path: Path) -> None:
    path = encode(tmp_path / "c.mp4", moving(6))
    assert [_load(path) for _ in range(3)] == [6, 6, 6]
    (tmp_path / "link.mp4").symlink_to(path)
    assert _load(tmp_path / "link.mp4") == 6
    assert builds == [path]


def test_a_changed_file_is_indexed_again(builds: list[Path], tmp_path: Path) -> None:
    path = encode(tmp_path / "c.mp4", moving(6))
    assert _load(path) == 6
    encode(path, moving(9))
    assert _load(path) == 9
    assert len(builds) == 2


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_a_damaged_entry_is_rebuilt(builds: list[Path], tmp_path: Path, damage: bytes | None) -> None:
    path = encode(tmp_path / "c.mp4", moving(6))
    assert _load(path) == 6
    (entry,) = (tmp_path / "cache").rglob("*.npz")
    whole = entry.read_bytes()
    entry.write_bytes(whole[: len(whole) // 2] if damage is None else damage)
    assert _load(path) == 6
    assert len(builds) == 2
    assert entry.stat().st_size == len(whole)


def test_a_cache_that_cannot_be_written_is_done_without(
    builds: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "file" / "below"))
    path = encode(tmp_path / "c.mp4", moving(6))
    assert [_load(path), _load(path)] == [6, 6]
    assert len(builds) == 2


def test_the_digest_follows_the_content_and_not_the_place(tmp_path: Path) -> None:
    paths = [
        encode(tmp_path / name, moving(6, seed=seed))
        for name, seed in (("a.mp4", 0), ("b.mp4", 0), ("c.mp4", 1))
    ]
    digests = [load_index(path, file_version(path)).digest for path in paths]
    assert digests[0] == digests[1] != digests[2]
    assert np.array_equal(load_index(paths[0], file_version(paths[0])).keys, [0])
