from __future__ import annotations

import pytest
import torch

from seqdis.core.factors import Extra, Factors
from seqdis.core.fixed_passes import encode_in_fixed_passes
from seqdis.core.random import GeneratorLike, GeneratorStack, randn
from seqdis.core.sequences import Sequences

SIZE = 4


class Seen:
    """An encoder that lists the rows of each pass, and adds a draw of each row to its dynamics."""

    def __init__(self) -> None:
        self.passes: list[list[str]] = []

    def __call__(self, sequences: Sequences, generator: GeneratorLike | None) -> Factors:
        self.passes.append(list(sequences.keys))
        assert isinstance(generator, GeneratorStack)
        drawn = randn(sequences.x.shape, generator=generator)
        static = sequences.x.mean(1)
        return Factors(static, sequences.x + drawn, {"twice": Extra(2 * static, "static")})


def sequences(count: int) -> Sequences:
    x = torch.randn(9, 3, 2, generator=torch.Generator().manual_seed(0))[:count]
    return Sequences(x, keys=[str(row) for row in range(count)])


def rows(count: int) -> GeneratorStack:
    return GeneratorStack.each([torch.Generator().manual_seed(row) for row in range(count)])


@pytest.mark.parametrize("count", [1, 3, 4, 5, 8, 9])
def test_every_pass_has_one_size_and_every_sequence_its_own_draws(count: int) -> None:
    seen = Seen()
    factors = encode_in_fixed_passes(seen, sequences(count), rows(count), size=SIZE)
    assert len(factors) == count
    assert {len(one) for one in seen.passes} == {SIZE}
    named = [key for one in seen.passes for key in one]
    assert named[:count] == [str(row) for row in range(count)]
    assert set(named[count:]) <= {str(count - 1)}
    x = sequences(count).x
    for row in range(count):
        expected = x[row] + torch.randn(3, 2, generator=torch.Generator().manual_seed(row))
        assert torch.equal(factors.dynamic[row], expected)
        assert torch.equal(factors.extras["twice"].value[row], 2 * factors.static[row])
