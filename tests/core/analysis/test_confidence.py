from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis import bootstrap, bootstrap_mean, wilson
from seqdis.core.errors import InputError


@pytest.mark.parametrize(("right", "n"), [(0, 5), (5, 5), (1, 7), (40, 100), (999, 1000)])
def test_wilson_bounds_are_the_shares_at_which_the_score_test_turns(right: int, n: int) -> None:
    p = right / n
    low, high = wilson(right, n)
    assert 0 <= low <= p <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            assert abs(p - bound) == pytest.approx(1.959964 * (bound * (1 - bound) / n) ** 0.5, rel=1e-5)
    assert (low, high) == pytest.approx(tuple(1 - x for x in reversed(wilson(n - right, n))))


def test_wilson_covers_the_true_share_about_95_times_in_100() -> None:
    g = torch.Generator().manual_seed(0)
    hits = (torch.rand(2000, 60, generator=g) < 0.8).sum(1).tolist()
    covered = sum(low <= 0.8 <= high for low, high in (wilson(h, 60) for h in hits))
    assert 0.93 < covered / 2000 < 0.97


def test_wilson_refuses_what_is_no_share() -> None:
    for right, n in ((0, 0), (-1, 4), (5, 4)):
        with pytest.raises(InputError, match=f"got {right} of {n}"):
            wilson(right, n)


def test_the_bootstrap_agrees_with_the_normal_interval_of_a_mean() -> None:
    values = torch.randn(400, generator=torch.Generator().manual_seed(1)) + 3
    low, high = bootstrap_mean(values, generator=torch.Generator().manual_seed(0))
    half = 1.96 * values.double().std().item() / 400**0.5
    assert low == pytest.approx(values.mean().item() - half, abs=0.15 * half)
    assert high == pytest.approx(values.mean().item() + half, abs=0.15 * half)
    assert (low, high) == bootstrap_mean(values, generator=torch.Generator().manual_seed(0))


def test_the_bootstrap_of_a_constant_has_no_width_and_of_nothing_is_refused() -> None:
    assert bootstrap_mean(torch.full((5,), 2.0), generator=torch.Generator()) == (2.0, 2.0)
    with pytest.raises(InputError, match=r"got \(0,\)"):
        bootstrap_mean(torch.empty(0), generator=torch.Generator())


def test_the_bootstrap_of_a_mean_is_that_of_any_statistic() -> None:
    values = torch.randn(300, generator=torch.Generator().manual_seed(0))
    low, high = bootstrap(
        lambda i: float(values[i].mean()), 300, generator=torch.Generator().manual_seed(1), resamples=2000
    )
    half = 1.96 * values.std().item() / 300**0.5
    assert low == pytest.approx(values.mean().item() - half, abs=0.012)
    assert high == pytest.approx(values.mean().item() + half, abs=0.012)


def test_draws_that_cannot_be_measured_are_left_out() -> None:
    def lowest(index: torch.Tensor) -> float:
        return float("nan") if int(index[0]) == 0 else float(index[0])

    low, high = bootstrap(lowest, 3, generator=torch.Generator().manual_seed(0))
    assert (low, high) == (1.0, 2.0)
    with pytest.raises(InputError, match="none of 5 draws could be measured"):
        bootstrap(lambda _: float("nan"), 3, generator=torch.Generator(), resamples=5)
    with pytest.raises(InputError, match="n ≥ 1"):
        bootstrap(lowest, 0, generator=torch.Generator())


def test_a_centred_bootstrap_keeps_the_spread_and_drops_the_offset() -> None:
    """The number of different cases in a draw is 0.632 n; all n of them are different."""
    n = 200

    def different(rows: torch.Tensor) -> float:
        return float(len(rows.unique()))

    plain, centred = (
        bootstrap(different, n, generator=torch.Generator().manual_seed(0), centre=centre)
        for centre in (None, float(n))
    )
    assert plain[1] < 0.75 * n
    assert centred[0] < n < centred[1]
    assert centred[1] - centred[0] == pytest.approx(plain[1] - plain[0])
