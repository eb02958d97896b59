from __future__ import annotations

import pytest
from pydantic import ValidationError

from seqdis.core.config import RampConfig
from seqdis.core.errors import InputError
from seqdis.core.schedules import InStages, Ramp, RampKind


def test_a_linear_ramp_has_equal_differences() -> None:
    assert [Ramp(1.0, 4.0, 4)(k) for k in range(6)] == pytest.approx([1, 2, 3, 4, 4, 4])


def test_a_geometric_ramp_has_equal_ratios() -> None:
    assert [Ramp(8.0, 1.0, 4, "geometric")(k) for k in range(5)] == pytest.approx([8, 4, 2, 1, 1])


def test_a_harmonic_ramp_has_equal_differences_of_the_reciprocal() -> None:
    assert [1 / Ramp(1.0, 0.1, 4, "harmonic")(k) for k in range(5)] == pytest.approx([1, 4, 7, 10, 10])


@pytest.mark.parametrize("kind", ["linear", "geometric", "harmonic"])
def test_a_ramp_by_way_of_values_is_at_each_of_them_and_between_neighbours(kind: RampKind) -> None:
    value = Ramp(30.0, 1.0, 101, kind, ((0.5, 0.2), (0.8, 0.4)))
    assert [value(k) for k in (0, 50, 80, 100, 400)] == pytest.approx([30, 0.2, 0.4, 1, 1])
    first = Ramp(30.0, 0.2, 51, kind)  # each piece is a ramp of its own
    assert [value(k) for k in range(51)] == pytest.approx([first(k) for k in range(51)])
    last = Ramp(0.4, 1.0, 21, kind)
    assert [value(80 + k) for k in range(21)] == pytest.approx([last(k) for k in range(21)])


def test_a_ramp_of_one_step_is_at_its_end() -> None:
    assert Ramp(3.0, 5.0, 1)(0) == 5.0


def test_stages_follow_one_another_and_a_value_waits_between_them() -> None:
    value = InStages([(2, Ramp(0.0, 2.0, 3)), (7, Ramp(9.0, 8.0, 2))])
    assert [value(k) for k in range(10)] == pytest.approx([0, 0, 0, 1, 2, 2, 2, 9, 8, 8])


def test_impossible_ramps_are_named() -> None:
    with pytest.raises(InputError, match="a ramp of 0 steps; allowed: 1 or more"):
        Ramp(1.0, 2.0, 0)
    with pytest.raises(InputError, match=r"geometric ramp from 0.0 to 2.0; allowed: all above 0"):
        Ramp(0.0, 2.0, 3, "geometric")
    with pytest.raises(
        ValidationError, match=r"a harmonic ramp from 1\.0 to -3\.0 to 2\.0; allowed: all above 0"
    ):
        RampConfig(start=1.0, end=2.0, kind="harmonic", via=((0.5, -3.0),))
    with pytest.raises(
        ValidationError, match=r"via the shares \[0\.5, 0\.2\]; allowed: rising, above 0 and below 1"
    ):
        RampConfig(start=1.0, end=2.0, via=((0.5, 3.0), (0.2, 1.0)))
    with pytest.raises(ValidationError, match=r"via the shares \[1\.0\]"):
        RampConfig(start=1.0, end=2.0, via=((1.0, 3.0),))
