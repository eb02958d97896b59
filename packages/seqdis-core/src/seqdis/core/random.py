"""Random draws whose rows do not depend on the rest of the batch.

``torch.randn((B, n), generator=g)`` gives row 0 a value that depends on B. Here a batch owns one
stream a row (sampling) or a slice of one stream for a whole global batch (training), so that a
sample is the same alone or in company, and on one process or on many.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["GeneratorLike", "GeneratorStack", "gumbel", "mix_seed", "rand", "randn", "stack_generators"]


def mix_seed(*parts: int) -> int:
    """Hash integers (seed, step, rank, …) into one 63-bit seed; neighbours are unrelated.

    Formula: splitmix64 (Steele et al. 2014) applied to each part in turn.
    """
    state = 0
    for part in parts:
        state = (state + 0x9E3779B97F4A7C15 + (part & 0xFFFFFFFFFFFFFFFF)) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & 0xFFFFFFFFFFFFFFFF
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state & 0x7FFFFFFFFFFFFFFF


class GeneratorStack:
    """A source of random rows for one batch.

    Build it with :meth:`each` (one generator a row) or :meth:`shard` (rows of a larger batch).
    """

    def __init__(
        self, generators: Sequence[torch.Generator], *, total: int, rows: slice, shared: bool = False
    ) -> None:
        self._generators = list(generators)
        self._total = total
        self._rows = rows
        self._shared = shared

    def __len__(self) -> int:
        return len(range(*self._rows.indices(self._total)))

    @classmethod
    def each(cls, generators: Sequence[torch.Generator]) -> GeneratorStack:
        """One generator a row: row i depends on generator i alone, however often it is asked."""
        if not generators:
            raise InputError("one generator a sample needs at least one generator; got none")
        return cls(generators, total=len(generators), rows=slice(0, len(generators)))

    @classmethod
    def spawn(
        cls, generator: torch.Generator, count: int, device: torch.device | str = "cpu"
    ) -> GeneratorStack:
        """Draw ``count`` seeds from ``generator`` one after another and give each row its own stream."""
        # One draw a row: a single call for all seeds would make the first depend on the count.
        seeds = [
            int(torch.randint(2**62, (), generator=generator, device=generator.device)) for _ in range(count)
        ]
        return cls.each([torch.Generator(device).manual_seed(seed) for seed in seeds])

    @classmethod
    def shard(cls, seed: int, total: int, rows: slice, device: torch.device | str = "cpu") -> GeneratorStack:
        """Rows ``rows`` of a batch of ``total``, drawn whole from one stream and then cut.

        Every process of a distributed run draws the same global batch and keeps its own part, so
        the result does not depend on how many processes share the work.
        """
        return cls([torch.Generator(device).manual_seed(seed)], total=total, rows=rows)

    def part(self, rows: slice) -> GeneratorStack:
        """The sources of some rows only (one generator a row), for work in several passes."""
        if len(self._generators) != self._total:
            raise InputError("only a source with one generator a row can be cut into parts")
        return self._of(self._generators[rows])

    @property
    def each_row(self) -> bool:
        """Whether every row has a generator of its own, so that rows can be chosen."""
        return len(self._generators) == self._total

    def chosen(self, rows: Sequence[int]) -> GeneratorStack:
        """The sources of some rows (one generator a row); one that is named again is a copy with the same draws to come."""
        if not self.each_row:
            raise InputError("only a source with one generator a row can be cut into parts")
        own = self._generators[self._rows]
        copies = [row in rows[:place] for place, row in enumerate(rows)]
        return self._of(
            [own[row].clone_state() if copy else own[row] for row, copy in zip(rows, copies, strict=True)]
        )

    def repeat(self, copies: int) -> GeneratorStack:
        """Each row ``copies`` times in a row, all copies of one with the same draws to come."""
        if len(self._generators) != self._total:
            raise InputError("only a source with one generator a row can be repeated")
        return self._of([g.clone_state() for g in self._generators[self._rows] for _ in range(copies)])

    def shared(self) -> GeneratorStack:
        """A stack of the same streams whose draws for a row's first step serve all its steps.

        A draw of ``(rows, V, …)`` is then ``(rows, 1, …)``, repeated along the second dimension.
        """
        return GeneratorStack(self._generators, total=self._total, rows=self._rows, shared=True)

    def _of(self, generators: Sequence[torch.Generator]) -> GeneratorStack:
        rows = GeneratorStack.each(generators)
        return rows.shared() if self._shared else rows

    def draw(self, kind: str, shape: Sequence[int], device: torch.device | str, dtype: torch.dtype) -> Tensor:
        """Draw ``shape`` (its first dimension is the rows) with ``torch.<kind>``."""
        if shape[0] != len(self):
            raise InputError(f"this random source has {len(self)} rows; {shape[0]} were asked for")
        if self._shared and len(shape) > 1:
            once = GeneratorStack(self._generators, total=self._total, rows=self._rows)
            return once.draw(kind, (shape[0], 1, *shape[2:]), device, dtype).expand(*shape)
        function = {"randn": torch.randn, "rand": torch.rand}[kind]
        home = self._generators[0].device
        if len(self._generators) == self._total:
            drawn = [
                function(tuple(shape[1:]), generator=g, device=home, dtype=dtype) for g in self._generators
            ]
            return torch.stack(drawn).to(device)
        whole = function((self._total, *shape[1:]), generator=self._generators[0], device=home, dtype=dtype)
        return whole[self._rows].to(device)


GeneratorLike = torch.Generator | GeneratorStack


def stack_generators(source: GeneratorLike | Sequence[torch.Generator] | None, count: int) -> GeneratorStack:
    """Read what ``generator=`` accepts (None, one generator, one a sample, a stack) as one generator a row.

    Raises:
        InputError: The number of generators is not the number of samples.
    """
    if source is None:
        source = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
    if isinstance(source, torch.Generator):
        return GeneratorStack.spawn(source, count, source.device)
    rows = source if isinstance(source, GeneratorStack) else GeneratorStack.each(source)
    if len(rows) != count:
        raise InputError(f"{count} samples need one generator or {count}; got {len(rows)}")
    return rows


def randn(
    shape: Sequence[int],
    *,
    generator: GeneratorStack,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Standard normal rows, ``(rows, …)``."""
    return generator.draw("randn", shape, device, dtype)


def rand(
    shape: Sequence[int],
    *,
    generator: GeneratorStack,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Uniform rows on [0, 1), ``(rows, …)``."""
    return generator.draw("rand", shape, device, dtype)


def gumbel(
    shape: Sequence[int],
    *,
    generator: GeneratorStack,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Standard Gumbel rows, ``−ln(−ln u)`` with ``u`` uniform: ``argmax(ln p + g)`` is a draw from ``p``."""
    # The generator's smallest positive number is 2^-24; half of it stands for 0, whose logarithm is infinite.
    u = rand(shape, generator=generator, device=device, dtype=dtype).clamp_(min=2.0**-25)
    return u.log_().neg_().log_().neg_()
