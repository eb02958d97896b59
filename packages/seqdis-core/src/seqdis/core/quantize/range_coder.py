"""A range coder (Martin 1979) over integer frequencies, byte by byte with carries."""

from __future__ import annotations

from collections.abc import Sequence

from seqdis.core.errors import InputError

__all__ = ["RangeDecoder", "RangeEncoder", "scale_counts"]

_TOP, _WORD = 1 << 24, 0xFFFFFFFF
_LARGEST_TOTAL = 1 << 16


def scale_counts(counts: Sequence[int]) -> list[int]:
    """Cumulative frequencies ``0 = f_0 ≤ … ≤ f_J`` of counts, with ``f_J`` at most 2^16.

    An entry that occurs keeps a frequency of at least 1; one that does not has none.
    """
    total = sum(counts)
    scaled = list(counts)
    if total > _LARGEST_TOTAL:
        room = _LARGEST_TOTAL - len(counts)  # the entries rounded up to 1 fit into what is set aside
        scaled = [max(1, count * room // total) if count else 0 for count in counts]
    sums = [0]
    for frequency in scaled:
        sums.append(sums[-1] + frequency)
    return sums


class RangeEncoder:
    """Narrows ``[low, low + range)`` by each symbol's share and writes the leading bytes that are settled."""

    def __init__(self) -> None:
        self._low, self._range = 0, _WORD
        self._cache, self._pending = 0, 1
        self._out = bytearray()

    def encode(self, start: int, size: int, total: int) -> None:
        """Take the part ``[start, start + size)`` of ``total``, at most 2^16."""
        part = self._range // total
        self._low += start * part
        self._range = size * part
        while self._range < _TOP:
            self._shift()
            self._range = (self._range << 8) & _WORD

    def _shift(self) -> None:
        # A byte of 0xFF may still turn over by a carry: it waits, counted, behind the cached one.
        if self._low < 0xFF000000 or self._low > _WORD:
            carry = self._low >> 32
            self._out.append((self._cache + carry) & 0xFF)
            self._out.extend([(0xFF + carry) & 0xFF] * (self._pending - 1))
            self._pending = 0
            self._cache = (self._low >> 24) & 0xFF
        self._pending += 1
        self._low = (self._low << 8) & _WORD

    def finish(self) -> bytes:
        """The encoded bytes, without the first, which is always 0."""
        for _ in range(5):
            self._shift()
        return bytes(self._out[1:])


class RangeDecoder:
    """Reads back what :class:`RangeEncoder` wrote, given the same frequencies."""

    def __init__(self, data: bytes) -> None:
        self._data, self._position = data, 0
        self._range, self._code = _WORD, 0
        for _ in range(4):
            self._code = self._code << 8 | self._byte()

    def _byte(self) -> int:
        if self._position >= len(self._data):
            raise InputError("coded data end too early")
        self._position += 1
        return self._data[self._position - 1]

    @property
    def used(self) -> int:
        """The number of bytes read so far."""
        return self._position

    def target(self, total: int) -> int:
        """The position in ``[0, total)`` at which the next symbol lies."""
        return min(total - 1, self._code // (self._range // total))

    def consume(self, start: int, size: int, total: int) -> None:
        """Leave the symbol that lies at ``[start, start + size)``.

        Raises:
            InputError: The data end before it.
        """
        part = self._range // total
        self._code -= start * part
        self._range = size * part
        while self._range < _TOP:
            self._code = (self._code << 8 | self._byte()) & _WORD
            self._range = (self._range << 8) & _WORD
