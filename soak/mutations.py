"""Damaged files from whole ones, the same for the same seed."""

from __future__ import annotations

import json
import random
import re
import struct
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["mutate"]

_NUMBERS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62)
_WORDS: tuple[bytes, ...] = (
    b"nan", b"inf", b"-1", b"0", b"1e308", b"1e-320", b"9" * 400, b"99999999999999999999", b"\xff\xfe", b"\0",
    b"\xf0\x9f\x92\xa9", b"'", b'"', b",,,,", b"\r\n\n", b"2024-13-45T99:99", b"../../x", b"{}", b"[" * 3000,
)  # fmt: skip
_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2, 1.5, -0.0, 1e308, 1e-320, 10**6, 10**7, 2**31 - 1, 2**31, 2**63, 10**30,
    "", "x", "NaN", "../../etc", "a" * 5000, [], {}, [[]], [0], [-1], [10**9, 10**9], {"": None}, [None] * 300,
)  # fmt: skip
_HEADER = 512
"""The first bytes, where most formats say what follows; half of all changes fall there."""

Mutation = Callable[[bytearray, random.Random, Sequence[bytes]], bytes | bytearray]


def mutate(content: bytes, draw: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """Change a file at one to four places.

    Args:
        content: The whole file.
        draw: Source of the draws.
        others: Files of which pieces may be put in.
    """
    result = bytes(content)
    for _ in range(draw.choice((1, 1, 1, 2, 2, 3, 4))):
        kinds = (
            _KINDS if _reads_as_json(result) is None else (*_KINDS, _json_value, _json_value, _json_nesting)
        )
        result = bytes(draw.choice(kinds)(bytearray(result), draw, others))
    return result


def _place(content: bytearray, draw: random.Random) -> int:
    most = min(_HEADER, len(content)) if draw.random() < 0.5 else len(content)
    return draw.randrange(most) if most else 0


def _flip_bit(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    if content:
        content[_place(content, draw)] ^= 1 << draw.randrange(8)
    return content


def _set_byte(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    if content:
        content[_place(content, draw)] = draw.randrange(256)
    return content


def _set_number(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    """A size or a count of 16, 32 or 64 bits in either order, as far out as it can be."""
    size, code = draw.choice(((2, "H"), (4, "I"), (4, "I"), (8, "Q")))
    at = _place(content, draw)
    if draw.random() < 0.7:
        at -= at % size
    number = draw.choice(_NUMBERS) & (256**size - 1)
    content[at : at + size] = struct.pack(draw.choice("<>") + code, number)
    return content


def _set_real(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    at = _place(content, draw) // 4 * 4
    value = draw.choice((float("nan"), float("inf"), -1.0, 0.0, 1e-320, 1e38, 3e38))
    content[at : at + 4] = struct.pack("<f", value) if draw.random() < 0.5 else struct.pack("<d", value)[:4]
    return content


def _cut(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    return content[: _place(content, draw)]


def _remove(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    at = _place(content, draw)
    del content[at : at + draw.choice((1, 2, 4, 16, 256, 4096))]
    return content


def _insert(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    at, size = _place(content, draw), draw.choice((1, 2, 4, 16, 256))
    content[at:at] = draw.choice((draw.randbytes(size), b"\0" * size, b"\xff" * size, draw.choice(_WORDS)))
    return content


def _repeat(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    at = _place(content, draw)
    piece = bytes(content[at : at + draw.choice((4, 16, 64, 1024))])
    content[at:at] = piece * draw.choice((2, 10, 100))
    return content


def _splice(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    """The beginning of one file and the end of another."""
    if not others:
        return content
    other = draw.choice(others)
    start = draw.randrange(len(other)) if other else 0
    return content[: _place(content, draw)] + bytearray(other[start:])


def _zero(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    at = _place(content, draw)
    size = min(draw.choice((16, 256, 4096)), len(content) - at)
    content[at : at + size] = b"\0" * size
    return content


def _number_in_text(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytearray:
    """A number that is written out, replaced by what no one expects there."""
    found = list(re.finditer(rb"\d+", bytes(content[:65536])))
    if not found:
        return _set_byte(content, draw, others)
    match = draw.choice(found)
    word = draw.choice((*_WORDS, str(draw.choice(_NUMBERS)).encode(), str(2 ** draw.randrange(64)).encode()))
    content[match.start() : match.end()] = word
    return content


_KINDS: tuple[Mutation, ...] = (
    _flip_bit, _set_byte, _set_number, _set_number, _set_real, _cut, _remove, _insert, _repeat, _splice, _zero,
    _number_in_text,
)  # fmt: skip


def _reads_as_json(content: bytes) -> Any:
    if content[:1] not in (b"{", b"["):
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _json_value(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """Another value, no value, or another name at a random place of the tree."""
    tree = _reads_as_json(bytes(content))
    places: list[tuple[Any, Any]] = []
    _collect(tree, places)
    if not places:
        return bytes(content)
    holder, key = draw.choice(places)
    kind = draw.random()
    if kind < 0.7:
        holder[key] = draw.choice(_VALUES)
    elif kind < 0.85:
        del holder[key]
    elif isinstance(holder, dict):
        holder[draw.choice(("", "x", "__class__", "a" * 300, str(key).upper()))] = holder.pop(key)
    else:
        holder.append(holder[key])
    return json.dumps(tree).encode()


def _json_nesting(content: bytearray, draw: random.Random, others: Sequence[bytes]) -> bytes:
    """Lists in lists, deeper than a parser's stack."""
    depth = draw.choice((10, 500, 5000, 100_000))
    text = bytes(content)
    at = text.find(b":") + 1
    return (
        text[:at] + b"[" * depth + b"]" * depth + text[at:].partition(b",")[1] + text[at:].partition(b",")[2]
    )


def _collect(tree: Any, places: list[tuple[Any, Any]]) -> None:
    """All places of a tree of JSON, as what holds them and the key there."""
    pairs = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in pairs:
        places.append((tree, key))
        _collect(value, places)
