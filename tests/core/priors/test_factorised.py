"""A prior of two independent factors."""

from __future__ import annotations

import torch

from seqdis.core.factors import Extra, Factors
from seqdis.core.priors.factorised import FactorisedPrior
from seqdis.core.random import GeneratorStack, randn


def _draw(rows: GeneratorStack, steps: int) -> Factors:
    static = randn((len(rows), 3), generator=rows)
    action = randn((len(rows), 2), generator=rows)
    dynamic = torch.stack([randn((len(rows), 2), generator=rows) for _ in range(steps)], dim=1)
    return Factors(
        static, dynamic, {"action": Extra(action, "dynamic"), "style": Extra(static[:, :1], "static")}
    )


PRIOR = FactorisedPrior(_draw, steps=4)


def _seed(value: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(value)


def test_it_draws_any_length_and_its_own_when_none_is_asked_for() -> None:
    assert PRIOR.sample(5, generator=_seed()).dynamic.shape == (5, 4, 2)
    assert PRIOR.sample(5, generator=_seed(), steps=11).dynamic.shape == (5, 11, 2)


def test_row_0_does_not_depend_on_the_count() -> None:
    few, many = PRIOR.sample(1, generator=_seed()), PRIOR.sample(7, generator=_seed())
    torch.testing.assert_close(few.flatten(), many[0].flatten(), rtol=0, atol=0)


def test_the_given_side_stays_with_its_extras_and_the_other_is_new() -> None:
    given = PRIOR.sample(3, generator=_seed(1), steps=6)
    new_static = PRIOR.sample_static(given, generator=_seed(2))
    assert torch.equal(new_static.dynamic, given.dynamic)
    assert torch.equal(new_static.extras["action"].value, given.extras["action"].value)
    assert not torch.equal(new_static.static, given.static)
    assert torch.equal(new_static.extras["style"].value, new_static.static[:, :1])
    new_dynamic = PRIOR.sample_dynamic(given, generator=_seed(2))
    assert torch.equal(new_dynamic.static, given.static)
    assert new_dynamic.steps == 6
    assert not torch.equal(new_dynamic.extras["action"].value, given.extras["action"].value)
    assert PRIOR.sample_dynamic(given, generator=_seed(2), steps=9).steps == 9


def test_to_keep_half_of_a_joint_draw_is_the_same_as_to_draw_given_the_other() -> None:
    given = PRIOR.sample(2, generator=_seed(1))
    free = PRIOR.sample_static(given, generator=_seed(5), independent=True)
    assert torch.equal(free.static, PRIOR.sample_static(given, generator=_seed(5)).static)
