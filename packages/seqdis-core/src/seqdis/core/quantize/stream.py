"""Streams of codes as bytes and as ``.sqc`` files.

Layout, little-endian: ``SQC1``; version (u8); coding (u8: 0 fixed width, 1 range coder); groups G (u16);
entries J (u32); frames V (u32); frames per second (f64); bytes of the table (u32) and of the payload (u32); the
table: G·J counts as LEB128; the payload; CRC-32 of all before it (u32).
"""

from __future__ import annotations

import bisect
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from seqdis.core.errors import InputError, unknown_name
from seqdis.core.files import replace_file
from seqdis.core.limits import SETTING, limits
from seqdis.core.quantize.codebook_use import check_codes, count_codes
from seqdis.core.quantize.range_coder import RangeDecoder, RangeEncoder, scale_counts

__all__ = ["CodeStream", "Coding", "PackedCodes", "pack_codes", "read_codes", "unpack_codes", "write_codes"]

Coding = Literal["auto", "fixed", "entropy"]

_MAGIC, _VERSION = b"SQC1", 1
_HEADER = struct.Struct("<4sBBHIIdII")
_MOST_ENTRIES, _MOST_CODES = 1 << 15, 1 << 31
_CODINGS = ("fixed", "entropy")
_FREE, _LONGEST_VARINT = 1 << 20, 5


@dataclass(frozen=True)
class CodeStream:
    """The codes of one sequence.

    Attributes:
        codes: Codes of every frame, ``(V, G)``, each in 0 … J−1.
        entries: Number of entries of each group's codebook, J.
        fps: Frames per second.

    Raises:
        InputError: The codes are empty or out of range, or there are more groups (65535), entries (32768)
            or frames than a file can say.
    """

    codes: Tensor
    entries: int
    fps: float

    def __post_init__(self) -> None:
        if self.codes.ndim != 2:
            raise InputError(f"codes of one sequence: shape {tuple(self.codes.shape)}; allowed: (V, G)")
        if not 1 <= self.entries <= _MOST_ENTRIES or self.codes.shape[1] > 0xFFFF:
            raise InputError(
                f"{self.codes.shape[1]} groups of {self.entries} entries; allowed: 65535 groups of 1 to {_MOST_ENTRIES}"
            )
        if not (math.isfinite(self.fps) and self.fps > 0):
            raise InputError(f"fps {self.fps}: allowed are numbers above 0")
        if self.codes.numel() > _MOST_CODES:
            raise InputError(f"{self.codes.numel()} codes; allowed: {_MOST_CODES}")
        object.__setattr__(self, "codes", check_codes(self.codes, self.entries))


@dataclass(frozen=True)
class PackedCodes:
    """A stream as bytes, and how many of them hold what.

    Attributes:
        data: The whole file.
        coding: ``"fixed"`` or ``"entropy"``.
        table_bytes: Number of bytes that hold the frequencies.
        payload_bytes: Number of bytes that hold the codes.
        seconds: Duration of the sequence, in seconds.
    """

    data: bytes
    coding: str
    table_bytes: int
    payload_bytes: int
    seconds: float

    @property
    def kbps(self) -> float:
        """Rate of the codes alone, without header and table."""
        return self.payload_bytes * 8 / 1000 / self.seconds

    @property
    def file_kbps(self) -> float:
        """Rate of the whole file."""
        return len(self.data) * 8 / 1000 / self.seconds


def _check_density(codes: int, size: int) -> None:
    """Refuse more codes than a file of ``size`` bytes says anything of, before there is memory for them."""
    most = max(_FREE, limits().codes * size)
    if codes > most:
        raise InputError(
            f"{codes} codes in {size} bytes; allowed: {most}, coding=fixed, or a larger {SETTING}=codes={-(-codes // size)}"
        )


def _width(entries: int) -> int:
    return (entries - 1).bit_length()


def _fixed(codes: np.ndarray, entries: int) -> bytes:
    shifts = np.arange(_width(entries))[::-1]
    return np.packbits((codes.reshape(-1, 1) >> shifts & 1).astype(np.uint8)).tobytes()


def _from_fixed(payload: bytes, frames: int, groups: int, entries: int) -> np.ndarray:
    width = _width(entries)
    if len(payload) != (frames * groups * width + 7) // 8:
        raise InputError(f"{len(payload)} bytes of codes do not hold {frames} frames of {groups}")
    if width == 0:  # a codebook of one entry says nothing
        return np.zeros((frames, groups), np.int64)
    bits = np.unpackbits(np.frombuffer(payload, np.uint8), count=frames * groups * width).reshape(-1, width)
    codes = np.zeros(frames * groups, np.int64)
    for place in range(width):  # bit by bit: all at once would take the memory of 64 codes for each
        codes <<= 1
        codes |= bits[:, place]
    return codes.reshape(frames, groups)


def _varints(values: list[int]) -> bytes:
    out = bytearray()
    for value in values:
        while value > 0x7F:
            out.append(value & 0x7F | 0x80)
            value >>= 7
        out.append(value)
    return bytes(out)


def _from_varints(data: bytes, count: int) -> list[int]:
    values, value, shift = [], 0, 0
    if count > len(data):
        raise InputError(f"the table of frequencies has {len(data)} bytes; expected: {count} entries")
    for byte in data:
        value |= (byte & 0x7F) << shift
        shift += 7
        if shift > 7 * _LONGEST_VARINT:
            raise InputError(f"a frequency takes more than {_LONGEST_VARINT} bytes")
        if byte < 0x80:
            values.append(value)
            value, shift = 0, 0
    if len(values) != count or shift:
        raise InputError(f"the table of frequencies has {len(values)} entries; expected: {count}")
    return values


def _entropy(codes: np.ndarray, counts: list[list[int]]) -> bytes:
    sums = [scale_counts(row) for row in counts]
    encoder = RangeEncoder()
    for frame in codes.tolist():
        for table, code in zip(sums, frame, strict=True):
            encoder.encode(table[code], table[code + 1] - table[code], table[-1])
    return encoder.finish()


def _from_entropy(payload: bytes, frames: int, counts: list[list[int]]) -> np.ndarray:
    if any(sum(row) != frames for row in counts):
        raise InputError(f"the table's counts do not sum to {frames} frames")
    sums = [scale_counts(row) for row in counts]
    decoder = RangeDecoder(payload)
    codes = np.empty((frames, len(counts)), np.int64)
    for frame in codes:
        for group, table in enumerate(sums):
            code = bisect.bisect_right(table, decoder.target(table[-1])) - 1
            decoder.consume(table[code], table[code + 1] - table[code], table[-1])
            frame[group] = code
    if decoder.used != len(payload):
        raise InputError(f"{len(payload) - decoder.used} bytes are left after the last code")
    return codes


def pack_codes(stream: CodeStream, *, coding: Coding = "auto") -> PackedCodes:
    """Write a stream as bytes.

    Args:
        stream: The codes, the size of their codebooks and the frame rate.
        coding: ``"fixed"`` spends ``⌈log₂ J⌉`` bits a code; ``"entropy"`` stores each group's counts and
            codes with a range coder at about ``Σ_i H_i`` bits a frame; ``"auto"`` takes the smaller one.

    Raises:
        InputError: The coding is unknown, or the codes say so little that a file of them would not be believed.
    """
    if coding not in ("auto", *_CODINGS):
        raise unknown_name("coding of a stream", coding, ["auto", *_CODINGS])
    codes = stream.codes.numpy()
    packed = []
    for number, name in enumerate(_CODINGS):
        if coding not in ("auto", name):
            continue
        counts = count_codes(stream.codes, stream.entries).tolist() if name == "entropy" else []
        table = _varints([count for row in counts for count in row])
        payload = _entropy(codes, counts) if counts else _fixed(codes, stream.entries)
        header = _HEADER.pack(
            _MAGIC, _VERSION, number, codes.shape[1], stream.entries, len(codes), stream.fps,
            len(table), len(payload),
        )  # fmt: skip
        body = header + table + payload
        data = body + struct.pack("<I", zlib.crc32(body))
        packed.append(PackedCodes(data, name, len(table), len(payload), len(codes) / stream.fps))
    believed = [one for one in packed if codes.size <= max(_FREE, limits().codes * len(one.data))]
    smallest = min(believed or packed, key=lambda candidate: len(candidate.data))
    _check_density(codes.size, len(smallest.data))
    return smallest


def unpack_codes(data: bytes, *, where: str = "code stream") -> CodeStream:
    """Read what :func:`pack_codes` wrote.

    Args:
        data: The whole file.
        where: The file's name, for the message.

    Raises:
        InputError: The data are no such stream, of another version, cut off, or damaged.
    """
    if data[: len(_MAGIC)] != _MAGIC:
        raise InputError(f"{where}: not a code stream; it starts with {data[:4]!r}, not {_MAGIC!r}")
    if len(data) < _HEADER.size + 4:
        raise InputError(f"{where}: cut off after {len(data)} bytes, within the header")
    _, version, number, groups, entries, frames, fps, table_size, size = _HEADER.unpack_from(data)
    if version != _VERSION:
        raise InputError(f"{where}: version {version} of the format; this reads version {_VERSION}")
    expected = _HEADER.size + table_size + size + 4
    if len(data) != expected:
        raise InputError(f"{where}: {len(data)} bytes; its header says {expected}: cut off or damaged")
    if zlib.crc32(data[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise InputError(f"{where}: damaged: its checksum does not agree")
    table = data[_HEADER.size : _HEADER.size + table_size]
    payload = data[_HEADER.size + table_size : -4]
    try:
        if number >= len(_CODINGS) or not groups or not frames or frames * groups > _MOST_CODES:
            raise InputError(f"{frames} frames of {groups} groups in coding {number}")
        _check_density(frames * groups, len(data))
        if _CODINGS[number] == "fixed":
            codes = _from_fixed(payload, frames, groups, entries)
        else:
            flat = _from_varints(table, groups * entries)
            counts = [flat[i : i + entries] for i in range(0, len(flat), entries)]
            codes = _from_entropy(payload, frames, counts)
        return CodeStream(torch.from_numpy(codes), entries, fps)
    except InputError as error:
        raise InputError(f"{where}: damaged: {error}") from None


def write_codes(path: str | Path, stream: CodeStream, *, coding: Coding = "auto") -> PackedCodes:
    """Write a stream to a file, which appears whole or not at all; see :func:`pack_codes`."""
    packed = pack_codes(stream, coding=coding)
    with replace_file(Path(path)) as partial:
        partial.write_bytes(packed.data)
    return packed


def read_codes(path: str | Path) -> CodeStream:
    """Read a file of :func:`write_codes`.

    Raises:
        InputError: The file cannot be read, or is damaged; see :func:`unpack_codes`.
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    return unpack_codes(data, where=str(path))
