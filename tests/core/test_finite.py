from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.finite import NotFiniteError, check_finite, check_results, check_scale


def test_what_is_not_finite_is_counted_and_found() -> None:
    x = torch.zeros(2, 3)
    check_finite(x, "x")
    x[1, 2], x[1, 0] = torch.nan, -torch.inf
    with pytest.raises(InputError, match=r"x: 2 of 6 values are NaN or Inf, the first at index \(1, 0\)"):
        check_finite(x, "x")


def test_a_result_names_the_first_bad_sequence_and_the_range_of_what_went_in() -> None:
    given = torch.arange(6.0).view(3, 2)
    good, bad = torch.zeros(3, 4, 2), torch.zeros(3, 4, 2)
    check_results({"static": good}, given, ["a", "b", "c"], name="input")
    bad[1, 3, 0], bad[2] = torch.inf, torch.nan
    said = r"^b: this model makes NaN or Inf of it \(dynamic\); its values go from 2 to 3$"
    with pytest.raises(NotFiniteError, match=said) as caught:
        check_results({"static": good, "dynamic": bad}, given, ["a", "b", "c"], name="input")
    assert caught.value.row == 1
    with pytest.raises(NotFiniteError, match=r"^input: sequence 1: this model"):
        check_results({"dynamic": bad}, given, (), name="input")


@pytest.mark.parametrize("value", [0.0, -1.0, 1e-40, float("nan"), float("inf")])
def test_a_scale_is_above_zero_and_has_a_finite_reciprocal(value: float) -> None:
    check_scale(torch.tensor([1e-37, 1.0, 1e30]), "std")
    with pytest.raises(
        InputError, match=r"^std: is \S+ at index \(1,\); allowed: above 0, with a finite rec"
    ):
        check_scale(torch.tensor([1.0, value]), "std")
