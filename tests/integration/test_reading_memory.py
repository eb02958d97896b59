"""Files below 1 MB that hold as much as the limits allow, or claim more, take the memory that docs/security.md states."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from seqdis.core.limits import allowed_content

Image = pytest.importorskip("PIL.Image", reason="pictures")
pa = pytest.importorskip("pyarrow", reason="parquet")
pq = pytest.importorskip("pyarrow.parquet", reason="parquet")

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc"),
]

MOST, LIBRARIES, A_VALUE = 2 << 30, 256 << 20, 64
CONTENT = allowed_content(0)
SIDE = 5792  # its square is just below the limit on pixels


def _sound(rate: int, samples: int, channels: int = 1) -> bytes:
    packed = io.BytesIO()
    with wave.open(packed, "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(1)
        file.setframerate(rate)
        file.writeframes(b"\x80" * (samples * channels))
    return packed.getvalue()


def _picture(kind: str, mode: str, **options: object) -> bytes:
    packed = io.BytesIO()
    Image.new(mode, (SIDE, SIDE)).save(packed, format=kind, **options)
    return packed.getvalue()


def _animation(kind: str, side: int, count: int) -> bytes:
    packed, frames = io.BytesIO(), [Image.new("P", (side, side), i % 2) for i in range(count)]
    frames[0].save(packed, format=kind, save_all=True, append_images=frames[1:])
    return packed.getvalue()


def _arrays(array: np.ndarray) -> bytes:
    packed = io.BytesIO()
    np.savez_compressed(packed, x=array)
    return packed.getvalue()


def _table(rows: int) -> bytes:
    packed = io.BytesIO()
    columns = {f"a{i}": pa.array(np.zeros(rows, np.int8)) for i in range(8)}
    pq.write_table(pa.table(columns), packed)
    return packed.getvalue()


def _rows(head: bytes, row: bytes, size: int = CONTENT) -> bytes:
    """A packed table of as many equal rows as fit."""
    return gzip.compress(head + row * ((size - len(head)) // len(row)))


def files() -> dict[str, bytes]:
    """Files by name: what fits just within the limits, and what claims ten times as much."""
    columns = b",".join(b"c%d" % i for i in range(16_000)) + b"\n"
    return {
        "one-column.csv.gz": _rows(b"a\n", b"0\n"),
        "two-columns.csv.gz": _rows(b"a,b\n", b"0,0\n"),
        "empty-cells.csv.gz": _rows(b"a,b,c\n", b",,1\n"),
        "many-columns.csv.gz": _rows(columns, b"0," * 15_999 + b"0\n"),
        "texts.csv.gz": _rows(b"a,b\n", b"x,1\n"),
        "quoted.csv.gz": _rows(b"a,b\n", b'"1","2"\n'),
        "times.csv.gz": _rows(b"time,a\n", b"2024-01-01T00:00:00,1\n"),
        "too-long.csv.gz": _rows(b"a\n", b"0\n", 10 * CONTENT),
        "plain.csv": b"a\n" + b"0\n" * ((1 << 19) - 10),
        "bytes.npz": _arrays(np.zeros((CONTENT // 8, 8), np.int8)),
        "doubles.npz": _arrays(np.zeros((CONTENT // 8, 8))),
        "too-many.npz": _arrays(np.zeros((CONTENT, 8), np.int8)),
        "wide.parquet": _table(CONTENT // 8),
        "too-wide.parquet": _table(CONTENT),
        "slow.wav": _sound(1000, 1_000_000),
        "slow-prime.wav": _sound(1009, 1_000_000),
        "fast-prime.wav": _sound(767_857, 1_000_000),
        "channels.wav": _sound(8000, 15_000, 64),
        "rate-of-1.wav": _sound(1, 1_000_000),
        "large.webp": _picture("webp", "RGBA", lossless=True),
        "large.tif": _picture("tiff", "RGB", compression="tiff_deflate"),
        "long.gif": _animation("gif", 1000, 200),
        "too-long.gif": _animation("gif", 64, 3000),
    }


def test_no_small_file_takes_more_than_is_stated(tmp_path: Path) -> None:
    sizes = {}
    for name, content in files().items():
        (tmp_path / name).write_bytes(content)
        sizes[name] = len(content)
        assert len(content) < 1 << 20, name
    script = Path(__file__).parent / "peak_of_reading.py"
    paths = [str(tmp_path / name) for name in sizes]
    done = subprocess.run([sys.executable, str(script), *paths], capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    seen = {one["file"] for one in found}
    # Every file was read by someone and came to an end, some of them whole: the limits were reached.
    assert seen == set(sizes), done.stderr[-2000:]
    assert {one["file"] for one in found if one["outcome"] == "read"} >= {
        "one-column.csv.gz", "two-columns.csv.gz", "many-columns.csv.gz", "doubles.npz", "wide.parquet", "slow.wav",
    }  # fmt: skip
    for one in found:
        assert "Traceback" not in one["outcome"], one
        stated = min(MOST, A_VALUE * allowed_content(sizes[one["file"]]) + LIBRARIES)
        assert one["peak"] < stated, (one["file"], one["peak"] >> 20, stated >> 20, one["outcome"][:200])
    # A hundredth of what is stated is more than nothing: what is measured is the memory of the reading.
    assert max(one["peak"] for one in found) > MOST // 100
