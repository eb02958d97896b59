from __future__ import annotations

import os
from pathlib import Path

import pytest

from seqdis.core.data import unpacked_files
from seqdis.core.data.unpacked_files import looked_at, unpack
from seqdis.core.errors import InputError

webdataset = pytest.importorskip("webdataset", reason="needs seqdis-core[shards]")


@pytest.fixture
def shard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    with webdataset.TarWriter(str(tmp_path / "a.tar"), mtime=1_700_000_000) as out:
        for number in range(20):
            out.write({"__key__": f"{number:02d}", "bin": bytes([number]) * 1000})
    return tmp_path / "a.tar"


def test_content_suffix_size_and_time_are_those_in_the_shard(shard: Path) -> None:
    for number in (0, 7, 19):
        file = unpack(Path(f"{shard}#{number:02d}.bin"))
        assert file.read_bytes() == bytes([number]) * 1000
        assert file.suffix == ".bin"
        assert file.stat().st_mtime == 1_700_000_000
    assert unpack(shard) == shard


def test_a_file_that_was_removed_comes_back_as_it_was(shard: Path) -> None:
    path = Path(f"{shard}#03.bin")
    file = unpack(path)
    before = file.stat()
    file.unlink()
    assert unpack(path) == file
    assert (file.stat().st_size, file.stat().st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def test_a_shard_that_is_written_anew_is_unpacked_anew(shard: Path) -> None:
    first = unpack(Path(f"{shard}#03.bin"))
    with webdataset.TarWriter(str(shard)) as out:
        out.write({"__key__": "03", "bin": b"other"})
    os.utime(shard, (1, 1))
    second = unpack(Path(f"{shard}#03.bin"))
    assert second != first
    assert second.read_bytes() == b"other"
    with pytest.raises(InputError, match=r"a.tar#04.bin: no such file in the shard"):
        unpack(Path(f"{shard}#04.bin"))


def test_those_used_longest_ago_are_removed(shard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacked_files, "UNPACKED", 5500)
    paths = [Path(f"{shard}#{number:02d}.bin") for number in range(20)]
    first = unpack(paths[0])
    for path in paths[1:]:
        last = unpack(path)
        assert unpack(paths[0]) == first  # is used all the time
    kept = [file for file in first.parents[1].glob("*/*") if file.is_file()]
    assert 4 <= len(kept) <= 6
    assert first in kept
    assert last in kept


def test_settings_are_read_from_a_few_files_of_many(shard: Path) -> None:
    paths = [Path(f"{shard}#{number:02d}.bin") for number in range(20)]
    inputs = looked_at([shard, *paths])
    files = list(inputs)
    assert set(inputs.values()) <= {shard, *paths}
    assert files[0] == shard
    assert 5 <= len(files) - 1 <= 8
    assert files[1].read_bytes() == bytes([0]) * 1000
