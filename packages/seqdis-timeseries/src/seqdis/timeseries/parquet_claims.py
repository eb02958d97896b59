"""The claims in the metadata of a parquet file, checked before any of it is read."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from seqdis.core.limits import check_claim, check_size

__all__ = ["check_parquet"]


def check_parquet(path: Path) -> None:
    """Refuse a parquet file with too many columns, or with more cells than its size makes likely.

    A text that occurs many times is stored once and read as often as it occurs.

    Raises:
        InputError: The file claims more than allowed.
    """
    size = path.stat().st_size
    with pq.ParquetFile(path) as file:
        metadata = file.metadata
        check_size(path, metadata.num_columns, "columns", what="columns")
        check_claim(path, metadata.num_rows * metadata.num_columns, size, what="cells")
        unpacked = sum(metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups))
        check_claim(path, unpacked, size, what="bytes")
        texts = [field.name for field in file.schema_arrow if _is_text(field.type)]
    for name in texts:
        check_claim(path, _text_bytes(path, name), size, what=f"bytes of text in {name!r}")


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
    )  # fmt: skip


def _text_bytes(path: Path, name: str) -> int:
    """Bytes of all cells of a column of texts, each as often as it occurs."""
    total = 0
    with pq.ParquetFile(path, read_dictionary=[name]) as file:
        for number in range(file.metadata.num_row_groups):
            for chunk in file.read_row_group(number, columns=[name]).column(0).chunks:
                coded = isinstance(chunk, pa.DictionaryArray)
                lengths = pc.binary_length(chunk.dictionary if coded else chunk).cast(pa.int64())
                total += pc.sum(lengths.take(chunk.indices) if coded else lengths, min_count=0).as_py()
    return total
