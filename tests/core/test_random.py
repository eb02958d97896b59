from __future__ import annotations

import itertools

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.random import GeneratorStack, mix_seed, rand, randn, stack_generators


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_seeds_of_neighbours_differ_and_fit_63_bits() -> None:
    seeds = {mix_seed(a, b, c) for a, b, c in itertools.product(range(12), repeat=3)}
    assert len(seeds) == 12**3
    assert all(0 <= seed < 2**63 for seed in seeds)
    assert mix_seed(1, 2) != mix_seed(2, 1)
    assert mix_seed(-1) == mix_seed(2**64 - 1)


def test_every_bit_of_a_seed_is_set_about_half_of_the_time() -> None:
    seeds = [mix_seed(0, i) for i in range(4000)]
    for bit in range(63):
        assert 0.45 < sum(seed >> bit & 1 for seed in seeds) / 4000 < 0.55


@pytest.mark.parametrize("draw", [randn, rand])
def test_a_row_does_not_depend_on_its_company(draw) -> None:
    whole = draw((5, 3), generator=stack_generators(generator(), 5))
    assert torch.equal(draw((2, 3), generator=stack_generators(generator(), 2)), whole[:2])
    each = GeneratorStack.each([generator(i) for i in range(4)])
    assert torch.equal(
        draw((1, 3), generator=GeneratorStack.each([generator(2)])), draw((4, 3), generator=each)[2:3]
    )


def test_later_draws_do_not_depend_on_the_company_either() -> None:
    few, many = stack_generators(generator(), 1), stack_generators(generator(), 6)
    for shape in ((2,), (7, 3), ()):
        one, six = randn((1, *shape), generator=few), randn((6, *shape), generator=many)
        assert torch.equal(one[0], six[0])


def test_shards_of_a_batch_are_its_parts() -> None:
    whole = randn((10, 3), generator=GeneratorStack.shard(7, 10, slice(0, 10)))
    parts = [
        randn((5, 3), generator=GeneratorStack.shard(7, 10, rows)) for rows in (slice(0, 5), slice(5, 10))
    ]
    assert torch.equal(torch.cat(parts), whole)
    assert not torch.equal(randn((10, 3), generator=GeneratorStack.shard(8, 10, slice(0, 10))), whole)


def test_parts_have_the_streams_of_their_rows() -> None:
    rows = GeneratorStack.each([generator(i) for i in range(5)])
    expected = randn((5, 2), generator=GeneratorStack.each([generator(i) for i in range(5)]))
    assert torch.equal(randn((3, 2), generator=rows.part(slice(2, 5))), expected[2:])
    with pytest.raises(InputError, match="one generator a row"):
        GeneratorStack.shard(0, 4, slice(0, 2)).part(slice(0, 1))


def test_chosen_rows_keep_their_streams_and_a_copy_draws_the_same() -> None:
    def whole() -> GeneratorStack:
        return GeneratorStack.each([torch.Generator().manual_seed(seed) for seed in range(3)])

    expected = randn((3, 4), generator=whole())
    drawn = randn((4, 4), generator=whole().chosen([1, 2, 2, 2]))
    assert torch.equal(drawn, expected[[1, 2, 2, 2]])
    assert whole().each_row
    shard = GeneratorStack.shard(0, 4, slice(0, 2))
    assert not shard.each_row
    with pytest.raises(InputError, match="one generator a row can be cut"):
        shard.chosen([0])


def test_a_shard_of_one_row_is_cut_from_the_whole_draw() -> None:
    alone = randn((1, 3), generator=GeneratorStack.shard(7, 1, slice(0, 1)))
    assert torch.equal(alone, torch.randn(1, 3, generator=generator(7)))


def test_draws_have_the_moments_of_their_law() -> None:
    x = randn((4, 5000), generator=stack_generators(generator(), 4))
    assert abs(x.mean()) < 0.03
    assert abs(x.std() - 1) < 0.03
    u = rand((4, 5000), generator=stack_generators(generator(), 4))
    assert u.min() >= 0
    assert u.max() < 1
    assert abs(u.mean() - 0.5) < 0.01
    assert abs(torch.corrcoef(x)[0, 1]) < 0.06


def test_the_type_is_the_one_asked_for() -> None:
    assert (
        randn((2, 1), generator=stack_generators(generator(), 2), dtype=torch.float64).dtype == torch.float64
    )


def test_without_a_generator_the_global_one_decides() -> None:
    torch.manual_seed(5)
    first = randn((2, 3), generator=stack_generators(None, 2))
    torch.manual_seed(5)
    assert torch.equal(first, randn((2, 3), generator=stack_generators(None, 2)))


def test_a_wrong_number_of_rows_is_refused() -> None:
    with pytest.raises(InputError, match="3 samples need one generator or 3; got 2"):
        stack_generators([generator(), generator()], 3)
    with pytest.raises(InputError, match="at least one generator; got none"):
        GeneratorStack.each([])
    with pytest.raises(InputError, match="has 2 rows; 3 were asked for"):
        randn((3, 1), generator=GeneratorStack.each([generator(), generator()]))


def test_repeated_rows_draw_the_same() -> None:
    rows = GeneratorStack.spawn(torch.Generator().manual_seed(0), 2)
    randn((2, 3), generator=rows)  # streams that are under way
    drawn = randn((6, 3), generator=rows.repeat(3))
    alone = randn((2, 3), generator=rows)
    assert torch.equal(drawn, alone.repeat_interleave(3, dim=0))


@pytest.mark.parametrize("kind", ["each", "shard"])
def test_shared_rows_draw_once_for_all_steps(kind: str) -> None:
    def source() -> GeneratorStack:
        return (
            GeneratorStack.each([generator(i) for i in range(3)])
            if kind == "each"
            else GeneratorStack.shard(7, 3, slice(0, 3))
        )

    shared = source().shared()
    x = randn((3, 4, 2), generator=shared)
    assert torch.equal(x, x[:, :1].expand(3, 4, 2))
    assert torch.equal(x[:, :1], randn((3, 1, 2), generator=source()))
    assert torch.equal(rand((3,), generator=source().shared()), rand((3,), generator=source()))
    assert len(shared) == 3
    if kind == "each":
        part = randn((2, 4, 2), generator=source().shared().part(slice(1, 3)))
        assert torch.equal(part, x[1:])
        copied = randn((6, 4, 2), generator=source().shared().repeat(2))
        assert torch.equal(copied, x.repeat_interleave(2, 0))
