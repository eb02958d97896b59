from __future__ import annotations

from pathlib import Path

from seqdis.core.analysis.encode_job import split_files


def test_chunks_cover_all_files_in_order_and_stay_small() -> None:
    for count in (1, 3, 64, 65, 1000, 5000):
        paths = [Path(f"{i}.npy") for i in range(count)]
        chunks = split_files(paths)
        assert [path for chunk in chunks for path in chunk] == paths
        assert max(map(len, chunks)) <= 16
