from __future__ import annotations

import math
from typing import Any

import pytest

from seqdis.core.errors import InputError
from seqdis.core.finite_numbers import check_finite_numbers


@pytest.mark.parametrize(
    ("value", "path"),
    [
        (math.nan, "value"),
        ({"a": [1, {"b": (2.0, -math.inf)}]}, r"a\.1\.b\.1"),
        ([{"name": "x", "value": math.inf}], r"0\.value"),
    ],
)
def test_the_path_to_a_number_that_is_not_finite_is_told(value: Any, path: str) -> None:
    with pytest.raises(
        InputError, match=rf"^m\.json: {path} is (nan|-?inf); only finite numbers are written$"
    ):
        check_finite_numbers(value, "m.json")


def test_everything_else_passes() -> None:
    check_finite_numbers({"a": [1, 1e308, -0.0, True, None, "nan"], "b": {}}, "m.json")
