from __future__ import annotations

import math
from typing import Any

import pytest

from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate, Metrics, NotFiniteFigureError


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("value", {"value": math.nan}),
        ("value", {"value": -math.inf}),
        ("chance", {"value": 1.0, "chance": math.inf}),
        ("ci95", {"value": 1.0, "ci95": (0.0, math.inf)}),
        ("ci95", {"value": 1.0, "ci95": (math.nan, math.nan)}),
    ],
)
def test_a_figure_that_is_not_finite_is_refused_by_the_metric(field: str, values: dict[str, Any]) -> None:
    fine, bad = Estimate(value=2.0), Estimate(**values)
    with pytest.raises(NotFiniteFigureError, match=rf"^swap_mse: its {field} is -?(nan|inf); only finite"):
        Metrics.of({"mse": fine, "swap_mse": bad}, role="swap")
    with pytest.raises(NotFiniteFigureError, match=rf"^swap_mse \(edm, 4\): its {field} is "):
        Metrics.of({"swap_mse": bad}, role="swap", case="edm, 4")


def test_no_file_holds_one() -> None:
    with pytest.raises(InputError, match=r"^file: metrics\.0: key 'value' is nan, but: .* finite"):
        Metrics.parse([{"name": "a", "role": "swap", "value": math.nan}], where="file: metrics")
