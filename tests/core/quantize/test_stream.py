from __future__ import annotations

import itertools
import math
import struct
import zlib
from pathlib import Path

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.quantize import (
    CodeStream,
    codebook_use,
    pack_codes,
    read_codes,
    unpack_codes,
    write_codes,
)
from seqdis.core.quantize.range_coder import RangeDecoder, RangeEncoder, scale_counts


def skewed(frames: int, groups: int, entries: int, seed: int = 0) -> Tensor:
    weights = 0.7 ** torch.arange(entries).double()
    g = torch.Generator().manual_seed(seed)
    return torch.multinomial(weights, frames * groups, replacement=True, generator=g).view(frames, groups)


@pytest.mark.parametrize("coding", ["auto", "fixed", "entropy"])
@pytest.mark.parametrize(
    ("frames", "groups", "entries"), [(1, 1, 1), (1, 1, 64), (7, 3, 5), (50, 64, 32), (300, 2, 1000)]
)
def test_packing_round_trips(coding: str, frames: int, groups: int, entries: int) -> None:
    stream = CodeStream(skewed(frames, groups, entries), entries, 12.5)
    packed = pack_codes(stream, coding=coding)  # type: ignore[arg-type]
    back = unpack_codes(packed.data)
    assert torch.equal(back.codes, stream.codes)
    assert (back.entries, back.fps) == (entries, 12.5)
    assert packed.coding == coding or coding == "auto"


def test_coded_size_is_close_to_the_entropy() -> None:
    codes = skewed(2000, 8, 32)
    use = codebook_use(codes, entries=32)
    packed = pack_codes(CodeStream(codes, 32, 25.0), coding="entropy")
    bits = use.bits_per_frame * 2000
    assert bits <= packed.payload_bytes * 8 < bits * 1.01 + 40
    assert packed.kbps == pytest.approx(use.bits_per_frame * 25 / 1000, rel=0.02)
    assert packed.file_kbps > packed.kbps


def test_fixed_width_is_exact() -> None:
    packed = pack_codes(CodeStream(skewed(50, 64, 32), 32, 25.0), coding="fixed")
    assert packed.payload_bytes == 50 * 64 * 5 / 8
    assert packed.table_bytes == 0


def test_auto_takes_the_smaller() -> None:
    for frames in (4, 4000):
        stream = CodeStream(skewed(frames, 4, 32), 32, 25.0)
        sizes = {c: len(pack_codes(stream, coding=c).data) for c in ("fixed", "entropy")}  # type: ignore[arg-type]
        chosen = pack_codes(stream)
        assert len(chosen.data) == min(sizes.values())
        assert chosen.coding == ("fixed" if frames == 4 else "entropy")


def test_more_frames_than_the_coder_counts() -> None:
    """Counts above 2^16 are scaled; an entry seen once among them is still coded."""
    codes = torch.zeros(70_000, 1, dtype=torch.long)
    codes[123] = 2
    codes[1000:2000] = 1
    stream = CodeStream(codes, 3, 25.0)
    packed = pack_codes(stream, coding="entropy")
    assert torch.equal(unpack_codes(packed.data).codes, codes)
    bits = codebook_use(codes, entries=3).bits_per_frame * 70_000
    assert packed.payload_bytes * 8 < bits * 1.03 + 40


def test_scaled_counts_keep_what_occurs() -> None:
    sums = scale_counts([1, 0, 10**9, 5])
    sizes = [b - a for a, b in itertools.pairwise(sums)]
    assert sums[-1] <= 1 << 16
    assert [size > 0 for size in sizes] == [True, False, True, True]


def test_carries_run_through_waiting_bytes() -> None:
    """Shares at the very top of the range, again and again, leave runs of 0xFF to turn over."""
    g = torch.Generator().manual_seed(4)
    symbols = (torch.rand(20_000, generator=g) < 0.999).long().tolist()
    tables = [(0, 1), (1, 65535)]
    encoder = RangeEncoder()
    for symbol in symbols:
        encoder.encode(*tables[symbol], 65536)
    data = encoder.finish()
    decoder = RangeDecoder(data)
    for symbol in symbols:
        assert (decoder.target(65536) >= 1) == bool(symbol)
        decoder.consume(*tables[symbol], 65536)
    assert decoder.used == len(data)
    # Frequencies that are not those of the data: the price is the cross-entropy.
    zeros = symbols.count(0)
    bits = zeros * 16 + (len(symbols) - zeros) * -math.log2(65535 / 65536)
    assert len(data) * 8 < bits * 1.02 + 40


@pytest.mark.parametrize("coding", ["fixed", "entropy"])
def test_any_damaged_byte_is_found(coding: str) -> None:
    data = pack_codes(CodeStream(skewed(20, 4, 8), 8, 25.0), coding=coding).data  # type: ignore[arg-type]
    for place in range(len(data)):
        damaged = bytearray(data)
        damaged[place] ^= 0x20
        with pytest.raises(InputError, match="code stream: "):
            unpack_codes(bytes(damaged))
    for length in range(len(data)):
        with pytest.raises(InputError, match=r"cut off|not a code stream"):
            unpack_codes(data[:length])
    with pytest.raises(InputError, match="cut off or damaged"):
        unpack_codes(data + b"\0")


def forged(data: bytes, offset: int, value: bytes) -> bytes:
    """Change a field and put the checksum right again."""
    body = bytearray(data[:-4])
    body[offset : offset + len(value)] = value
    return bytes(body) + struct.pack("<I", zlib.crc32(bytes(body)))


def test_a_forged_header_is_refused() -> None:
    stream = CodeStream(skewed(20, 4, 8), 8, 25.0)
    for coding in ("fixed", "entropy"):
        data = pack_codes(stream, coding=coding).data  # type: ignore[arg-type]
        with pytest.raises(InputError, match="version 9 of the format; this reads version 1"):
            unpack_codes(forged(data, 4, b"\x09"))
        for offset, value in [(5, b"\x07"), (6, b"\0\0"), (12, struct.pack("<I", 2**32 - 1))]:
            with pytest.raises(InputError, match=r"clip\.sqc: damaged: "):
                unpack_codes(forged(data, offset, value), where="clip.sqc")
        with pytest.raises(InputError, match="damaged: fps nan"):
            unpack_codes(forged(data, 16, struct.pack("<d", math.nan)))


def test_files(tmp_path: Path) -> None:
    stream = CodeStream(skewed(20, 4, 8), 8, 25.0)
    packed = write_codes(tmp_path / "clip.sqc", stream)
    assert (tmp_path / "clip.sqc").read_bytes() == packed.data
    assert torch.equal(read_codes(tmp_path / "clip.sqc").codes, stream.codes)
    with pytest.raises(InputError, match=r"absent\.sqc: cannot be read"):
        read_codes(tmp_path / "absent.sqc")
    (tmp_path / "other.sqc").write_bytes(b"PNG and so on")
    with pytest.raises(InputError, match=r"other\.sqc: not a code stream"):
        read_codes(tmp_path / "other.sqc")


@pytest.mark.parametrize(
    ("codes", "entries", "fps", "message"),
    [
        (torch.zeros(3).long(), 4, 25.0, r"allowed: \(V, G\)"),
        (torch.zeros(0, 2).long(), 4, 25.0, "at least one"),
        (torch.full((2, 2), 4), 4, 25.0, "codes from 4 to 4; allowed: 0 to 3"),
        (torch.zeros(2, 2), 4, 25.0, "allowed: integers"),
        (torch.zeros(2, 2).long(), 40000, 25.0, "1 to 32768"),
        (torch.zeros(2, 2).long(), 4, 0.0, r"fps 0\.0"),
    ],
)
def test_bad_streams_are_refused(codes: Tensor, entries: int, fps: float, message: str) -> None:
    with pytest.raises(InputError, match=message):
        CodeStream(codes, entries, fps)


def test_an_unknown_coding_is_named() -> None:
    with pytest.raises(InputError, match="unknown coding of a stream 'huffman'"):
        pack_codes(CodeStream(skewed(2, 2, 4), 4, 25.0), coding="huffman")  # type: ignore[arg-type]


CASES = Path(__file__).parents[2] / "cases" / "21-claims-too-much"


@pytest.mark.parametrize("name", ["j1_fixed.sqc", "j2_ent4.sqc"])
def test_a_header_that_claims_gigabytes_is_refused(name: str) -> None:
    message = rf"{name}: damaged: 214748364[78] codes in \d\d bytes; allowed: 1048576, "
    with pytest.raises(InputError, match=message):
        read_codes(CASES / name)


def packed_by_hand(
    *, coding: int, groups: int, entries: int, frames: int, table: bytes, codes: bytes
) -> bytes:
    header = struct.pack(
        "<4sBBHIIdII", b"SQC1", 1, coding, groups, entries, frames, 25.0, len(table), len(codes)
    )
    body = header + table + codes
    return body + struct.pack("<I", zlib.crc32(body))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"\xff" * 200_000 + b"\x01", "a frequency takes more than 5 bytes"),
        (b"\x01", "the table of frequencies has 1 bytes; expected: 4 entries"),
    ],
)
def test_a_table_that_is_none_costs_no_more_than_reading_it(table: bytes, message: str) -> None:
    data = packed_by_hand(coding=1, groups=1, entries=4, frames=10, table=table, codes=bytes(4))
    with pytest.raises(InputError, match=message):
        unpack_codes(data)


def test_what_is_packed_can_be_read_again_however_little_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqdis.core.quantize.stream._FREE", 1000)
    stream = CodeStream(torch.zeros(2000, 2, dtype=torch.long), 4, 25.0)
    packed = pack_codes(stream)  # nearly nothing by its entropy, and a bit for each code by fixed width
    assert packed.coding == "fixed"
    assert torch.equal(unpack_codes(packed.data).codes, stream.codes)
    with pytest.raises(InputError, match=r"4000 codes in \d+ bytes; allowed: 1000, coding=fixed"):
        pack_codes(stream, coding="entropy")
    monkeypatch.setenv("SEQDIS_LIMITS", "codes=100")
    assert torch.equal(unpack_codes(pack_codes(stream, coding="entropy").data).codes, stream.codes)
