"""Whatever a protocol may be asked for has a largest value, in every protocol that is installed."""

from __future__ import annotations

import pytest
from tests.bounds import problems

from seqdis.core.config import parse_config
from seqdis.core.errors import InputError
from seqdis.core.plugins import get_plugin, list_plugins
from seqdis.eval.protocols.few_steps import FewSteps


@pytest.mark.parametrize("name", list_plugins("protocols"))
def test_every_number_of_a_protocol_has_a_largest_value(name: str) -> None:
    assert not problems(get_plugin("protocols", name).Options, kinds=("integer", "number"))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"pairs": 10**10}, "key 'pairs' is 10000000000, but: .* less than or equal to 1000000000"),
        ({"nfe": [10**10]}, "key 'nfe.0' is 10000000000, but: "),
        ({"nfe": [4] * 2000}, "key 'nfe' is .*, but: Tuple should have at most 1024 items"),
    ],
)
def test_what_no_measurement_reaches_is_told_with_its_key(values: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=f"^eval few-steps: {message}") as told:
        parse_config(FewSteps.Options, values, where="eval few-steps")
    assert "\n" not in str(told.value)
