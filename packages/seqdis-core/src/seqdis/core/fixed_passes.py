"""Encoding on the CPU in passes of a fixed number of sequences, so that a result does not depend on the batch."""

from __future__ import annotations

from collections.abc import Callable

from seqdis.core.factors import Factors
from seqdis.core.random import GeneratorLike, GeneratorStack
from seqdis.core.sequences import Sequences

__all__ = ["SEQUENCES_A_PASS", "encode_in_fixed_passes"]

SEQUENCES_A_PASS = 4
"""Fewer would encode a folder slowly, for a small matrix product is a slow one; more would encode a single clip slowly."""

Encode = Callable[[Sequences, GeneratorLike | None], Factors]


def encode_in_fixed_passes(
    encode: Encode, sequences: Sequences, generator: GeneratorLike | None, *, size: int = SEQUENCES_A_PASS
) -> Factors:
    """Encode sequences, ``size`` of them at a time; a last pass that is not full is filled with copies.

    The libraries of linear algebra choose the order of a sum by the shapes of the matrices, so that the last bits of a
    row change with the number of rows beside it. In passes of one shape they do not.

    Args:
        encode: A function from the sequences of a pass and their source of random draws to their factors.
        sequences: Sequences of any number.
        generator: Source of random draws; one with a generator a row is cut into those of the passes.
        size: Number of sequences a pass.
    """
    total = len(sequences)
    parts = []
    for start in range(0, total, size):
        rows = [min(row, total - 1) for row in range(start, start + size)]
        source = generator.chosen(rows) if isinstance(generator, GeneratorStack) else generator
        parts.append(encode(sequences[rows], source))
    return Factors.cat(parts)[:total]
