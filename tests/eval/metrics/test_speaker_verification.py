from __future__ import annotations

import pytest
import torch

from seqdis.eval.metrics.eer import speaker_eer
from seqdis.eval.metrics.speaker_verification import speaker_verification


def embeddings(spread: float, seed: int) -> tuple[torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    who = torch.arange(60) % 6
    return torch.eye(6)[who] + spread * torch.randn(60, 6, generator=g), who


def test_known_factors_have_known_rates() -> None:
    static, who = embeddings(0.01, 0)
    noise = torch.randn(60, 6)
    found = speaker_verification(static, noise, who)
    assert found.static.value == 0
    assert found.dynamic.value == pytest.approx(0.5, abs=0.1)
    assert found.gap.value == found.dynamic.value
    assert (found.static.higher_is_better, found.dynamic.higher_is_better) == (False, True)
    assert (found.static.chance, found.gap.chance) == (0.5, 0)
    swapped = speaker_verification(noise, static, who)
    assert swapped.gap.value == -found.gap.value


def test_each_rate_and_interval_is_that_of_the_factor_alone() -> None:
    static, who = embeddings(0.5, 1)
    dynamic, _ = embeddings(2.0, 2)
    found = speaker_verification(static, dynamic, who, resamples=50, seed=3)
    alone = speaker_eer(static, who, resamples=50, generator=torch.Generator().manual_seed(3))
    assert found.static == alone
    assert found.gap.value == pytest.approx(found.dynamic.value - found.static.value)
    assert found.gap.ci95 is not None
    assert found.gap.ci95[0] <= found.gap.value <= found.gap.ci95[1]


def test_one_factor_twice_has_no_gap_in_any_draw() -> None:
    static, who = embeddings(1.0, 1)
    found = speaker_verification(static, static, who)
    assert found.gap.value == 0
    assert found.gap.ci95 == (0, 0)
