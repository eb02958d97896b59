from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.judge_consistency import consistency


def seed() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_it_is_what_a_loop_finds_and_two_wrong_answers_agree() -> None:
    g = seed()
    real = {name: torch.randint(3, (40,), generator=g) for name in "ab"}
    made = {name: torch.randint(3, (40,), generator=g) for name in "ab"}
    found = consistency(real, made, generator=seed())
    each = {name: sum(int(real[name][i] == made[name][i]) for i in range(40)) / 40 for name in "ab"}
    assert found["a_consistency"].value == pytest.approx(each["a"])
    assert found["consistency"].value == pytest.approx((each["a"] + each["b"]) / 2)
    assert consistency(real, real, generator=seed())["consistency"].value == 1


def test_a_constant_output_gets_the_commonest_answer_s_share() -> None:
    real = {"a": torch.tensor([0, 0, 0, 1]), "b": torch.tensor([0, 1, 2, 2])}
    made = {"a": torch.zeros(4, dtype=torch.long), "b": torch.full((4,), 2)}
    found = consistency(real, made, generator=seed())
    assert (found["a_consistency"].value, found["b_consistency"].value) == (0.75, 0.5)
    assert found["consistency"].value == found["consistency"].chance == 0.625


def test_frames_count_within_their_clip() -> None:
    real, made = torch.zeros(2, 4, dtype=torch.long), torch.zeros(2, 4, dtype=torch.long)
    made[0, :2] = 1
    found = consistency({"a": real}, {"a": made}, generator=seed())["a_consistency"]
    assert (found.value, found.n) == (0.75, 2)
    assert found.ci95 == (0.5, 1.0)


def test_bad_input_is_refused() -> None:
    one = {"a": torch.zeros(3, dtype=torch.long)}
    for other in ({"b": one["a"]}, {"a": one["a"][:2]}, {}):
        with pytest.raises(InputError, match="consistency needs the same labels of N ≥ 1 clips twice"):
            consistency(one, other, generator=seed())
