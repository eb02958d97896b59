from __future__ import annotations

import pytest
from pydantic import ValidationError

from seqdis.core.config import RampConfig
from seqdis.core.errors import InputError
from seqdis.core.schedules import InStages, Ramp


def test_a_linear_ramp_has_equal_differences() -> None:
    assert [Ramp(1.0, 4.0, 4)(k) for k in range(6)] == pytest.approx([1, 2, 3, 4, 4, 4])


def test_a_geometric_ramp_has_equal_ratios() -> None:
    assert [Ramp(8.0, 1.0, 4, "geometric")(k) for k in range(5)] == pytest.approx([8, 4, 2, 1, 1])


def test_a_ramp_of_one_step_is_at_its_end() -> None:
    assert Ramp(3.0, 5.0, 1)(0) == 5.0


def test_stages_follow_one_another_and_a_value_waits_between_them() -> None:
    value = InStages([(2, Ramp(0.0, 2.0, 3)), (7, Ramp(9.0, 8.0, 2))])
    assert [value(k) for k in range(10)] == pytest.approx([0, 0, 0, 1, 2, 2, 2, 9, 8, 8])


def test_impossible_ramps_are_named() -> None:
    with pytest.raises(InputError, match="a ramp of 0 steps; allowed: 1 or more"):
        Ramp(1.0, 2.0, 0)
    with pytest.raises(InputError, match=r"geometric ramp from 0.0 to 2.0; allowed: both above 0"):
        Ramp(0.0, 2.0, 3, "geometric")
    with pytest.raises(ValidationError, match=r"between positive values; got -1\.0 and 2\.0"):
        RampConfig(start=-1.0, end=2.0, kind="geometric")
