"""Minibatch weighted sampling against sums written out, and against what it must be in a known case."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.methods.s3vae.mutual_information import pairwise_log_density, weighted_mutual_information
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.random import GeneratorStack


def _density(value: float, mean: float, std: float) -> float:
    return math.exp(-0.5 * ((value - mean) / std) ** 2) / (std * math.sqrt(2 * math.pi))


def _product(value: Tensor, mean: Tensor, std: Tensor) -> float:
    rows = zip(value.tolist(), mean.tolist(), std.tolist(), strict=True)
    return math.prod(_density(*row) for row in rows)


def _posteriors(batch: int, steps: int) -> tuple[DiagonalGaussian, DiagonalGaussian, Tensor, Tensor]:
    def make(*shape: int) -> DiagonalGaussian:
        return DiagonalGaussian(
            torch.randn(shape, dtype=torch.float64), 0.3 * torch.randn(shape, dtype=torch.float64)
        )

    first, second = make(batch, 2), make(batch, steps, 3)
    rows = GeneratorStack.shard(0, batch, slice(0, batch))
    return first, second, first.draw(rows), second.draw(rows)


def test_it_is_equation_8_summed_by_hand() -> None:
    batch, steps, data = 4, 3, 100
    f, t, zf, zt = _posteriors(batch, steps)

    def expected(densities: list[list[float]]) -> float:
        return sum(math.log(sum(row)) - math.log(data * batch) for row in densities) / batch

    wanted = []
    for v in range(steps):
        of_f = [[_product(zf[i], f.mean[j], f.std[j]) for j in range(batch)] for i in range(batch)]
        of_t = [[_product(zt[i, v], t.mean[j, v], t.std[j, v]) for j in range(batch)] for i in range(batch)]
        joint = [[of_f[i][j] * of_t[i][j] for j in range(batch)] for i in range(batch)]
        wanted.append(-expected(of_f) - expected(of_t) + expected(joint))
    got = weighted_mutual_information(
        pairwise_log_density(f, zf), pairwise_log_density(t, zt), sequences=data
    )
    torch.testing.assert_close(got, torch.tensor(wanted, dtype=torch.float64))


def test_a_pair_of_equal_posteriors_carries_no_information_beyond_the_estimators_constant() -> None:
    # All q(z | x_j) alike: ln Σ_j = ln M + ln q, so that each of the three differs from its value by ln N.
    batch, data = 5, 50
    alike = DiagonalGaussian.standard(torch.zeros(batch, 2, dtype=torch.float64))
    z = alike.draw(GeneratorStack.shard(1, batch, slice(0, batch)))
    pairs = pairwise_log_density(alike, z)
    torch.testing.assert_close(
        weighted_mutual_information(pairs, pairs, sequences=data),
        torch.tensor(math.log(data), dtype=torch.float64),
    )


def test_it_grows_with_what_the_two_share() -> None:
    """Posteriors whose means agree tell more of each other than posteriors whose means do not."""
    generator = torch.Generator().manual_seed(3)
    means = 3 * torch.randn(32, 1, generator=generator)
    others = 3 * torch.randn(32, 1, generator=generator)

    def information(second: Tensor, spread: float) -> Tensor:
        q, p = (DiagonalGaussian(m, torch.full_like(m, math.log(spread))) for m in (means, second))
        rows = GeneratorStack.shard(0, 32, slice(0, 32))
        return weighted_mutual_information(
            pairwise_log_density(q, q.draw(rows)), pairwise_log_density(p, p.draw(rows)), sequences=32
        )

    assert information(others, 2.0) < information(others, 0.3)
    assert information(means, 2.0) < information(means, 0.3)


@pytest.mark.parametrize(("shape", "data"), [((3, 4), 10), ((3, 3), 0)])
def test_what_is_no_square_of_pairs_is_refused(shape: tuple[int, int], data: int) -> None:
    with pytest.raises(InputError, match=r"mutual information needs \(…, M, M\) twice and N ≥ 1"):
        weighted_mutual_information(torch.zeros(shape), torch.zeros(shape), sequences=data)
