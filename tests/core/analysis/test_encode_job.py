from __future__ import annotations

from pathlib import Path

from seqdis.core.analysis.encode_job import split_files


def test_shards_cover_all_files_in_order_and_stay_small() -> None:
    for count in (1, 3, 64, 65, 1000, 5000, 20000):
        paths = [Path(f"{i}.npy") for i in range(count)]
        shards = split_files(paths)
        assert [path for shard in shards for path in shard] == paths
        assert len(shards) <= 64 or max(map(len, shards)) == 256
