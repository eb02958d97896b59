from __future__ import annotations

import pytest
import scipy.stats
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.judge_divergence import judge_divergence


def test_it_is_scipy_s_and_zero_of_itself() -> None:
    g = torch.Generator().manual_seed(0)
    p, q = torch.randn(2, 20, 4, generator=g).double().softmax(2)
    found = judge_divergence(p, q, generator=g)
    assert found.value == pytest.approx(scipy.stats.entropy(p.numpy(), q.numpy(), axis=1).mean())
    assert not found.higher_is_better
    assert judge_divergence(p, p, generator=g).value == 0


def test_a_certain_judge_that_changes_its_mind_gives_a_finite_figure() -> None:
    sure = torch.eye(2)
    found = judge_divergence(sure, sure.flip(0), generator=torch.Generator().manual_seed(0))
    assert 80 < found.value < 90  # -ln of the smallest normal float32


def test_bad_input_is_refused() -> None:
    g = torch.Generator().manual_seed(0)
    with pytest.raises(InputError, match=r"generated predictions of shape \(2, 3\)"):
        judge_divergence(torch.full((2, 3), 1 / 3), torch.full((2, 2), 0.5), generator=g)
    with pytest.raises(InputError, match="real predictions"):
        judge_divergence(torch.full((2, 2), 0.5), torch.ones(2, 2), generator=g)
