"""Every size that a configuration may ask for is bounded, in whatever is installed."""

from __future__ import annotations

from typing import Any

import pytest
from tests.bounds import all_configurations, problems

from seqdis.core.base_config import Config, parse_config
from seqdis.core.config import CodecConfig, DataConfig, RunConfig, TrainConfig, apply_overrides
from seqdis.core.errors import InputError
from seqdis.core.plugins import get_plugin, list_plugins
from seqdis.core.registry import get_modality, get_preset


@pytest.mark.parametrize("group", ["methods", "samplers", "priors"])
def test_every_size_of_what_is_installed_has_a_largest_value(group: str) -> None:
    for name in list_plugins(group):
        assert not problems(get_plugin(group, name).config_class), name


def test_every_size_of_data_and_training_has_a_largest_value() -> None:
    for config in (DataConfig, TrainConfig, CodecConfig):
        assert not problems(config)
    for name in list_plugins("modalities"):
        assert not problems(get_modality(name).options_class), name


def test_every_number_of_an_executor_has_a_largest_value() -> None:
    for name in list_plugins("executors"):
        assert not problems(get_plugin("executors", name).config_class, kinds=("integer", "number")), name


@pytest.mark.full
def test_every_size_of_any_settings_or_record_has_a_largest_value() -> None:
    found = all_configurations("seqdis.core")
    assert len(found) > 40
    assert not [problem for config in found for problem in problems(config)]


def test_the_test_finds_what_is_unbounded() -> None:
    class Open(Config):
        width: int = 3
        widths: tuple[int, ...] = ()
        fewest: int | None = None

        scale: float = 1.0

    assert problems(Open, kinds=("number",)) == ["Open.scale"]
    assert problems(Open) == ["Open.fewest", "Open.width", "Open.widths", "Open.widths[]"]


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("sampler.rho=1e-300", "key 'sampler.rho' is 1e-300, but: .* greater than or equal to 0.1"),
        ("static_dim=1000000", "key 'static_dim' is 1000000, but: .* less than or equal to 65536"),
        ("train.steps=99999999999999999999", "a whole number of 67 bits; allowed: 63"),
        ("frame_shape=3,9999999999999999999999,4", "a whole number of 74 bits; allowed: 63"),
        ("frame_shape=3,1000000,1000000", "a frame of 3000000000000 numbers; allowed: 268435456"),
        ("data.options=" + "[" * 900 + "]" * 900, "values nest deeper than 32 levels"),
        ("data.options=" + "[" * 100_000, r"a value nests too deeply: \[+…"),
        ("encoder.multipliers=0,1", "key 'encoder.multipliers.0' is 0, but: "),
    ],
)
def test_what_no_model_reaches_is_told_with_its_key(override: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as told:
        apply_overrides(get_preset("toy"), [override])
    assert len(str(told.value)) < 1500
    assert "\n" not in str(told.value)


def test_values_of_a_file_are_held_to_the_same() -> None:
    deep: Any = {}
    for _ in range(2000):
        deep = {"a": deep}
    values = get_preset("toy").model_dump(mode="json")
    with pytest.raises(InputError, match=r"^file: values nest deeper than 32 levels$"):
        parse_config(RunConfig, values | {"data": deep}, where="file")
