"""Every size that a configuration may ask for is bounded, in whatever is installed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from seqdis.core.base_config import Config, parse_config
from seqdis.core.config import CodecConfig, DataConfig, RunConfig, TrainConfig, apply_overrides
from seqdis.core.errors import InputError
from seqdis.core.plugins import get_plugin, list_plugins
from seqdis.core.registry import get_modality, get_preset

FREE = ("seed",)
"""Whole numbers that are no sizes."""


def unbounded(schema: dict[str, Any], path: str) -> Iterator[str]:
    """The paths of whole numbers without a largest value, and of lists without a longest length."""
    if (
        schema.get("type") == "integer"
        and not {"maximum", "exclusiveMaximum", "enum", "const"} & schema.keys()
    ):
        yield path
    endless = "maxItems" not in schema and "prefixItems" not in schema
    if schema.get("type") == "array" and endless and schema["items"].get("type") == "integer":
        yield f"{path}[]"
    inner = [*schema.get("anyOf", ()), *schema.get("prefixItems", ())]
    inner += [schema[key] for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    for one in inner:
        yield from unbounded(one, path)


def problems(config: type[Config]) -> list[str]:
    schema = config.model_json_schema()
    parts = {config.__name__: schema, **schema.get("$defs", {})}
    found = [
        problem
        for title, part in parts.items()
        for name, field in part.get("properties", {}).items()
        if name not in FREE
        for problem in unbounded(field, f"{title}.{name}")
    ]
    return sorted(set(found))


@pytest.mark.parametrize("group", ["methods", "samplers", "priors"])
def test_every_size_of_what_is_installed_has_a_largest_value(group: str) -> None:
    for name in list_plugins(group):
        assert not problems(get_plugin(group, name).config_class), name


def test_every_size_of_data_and_training_has_a_largest_value() -> None:
    for config in (DataConfig, TrainConfig, CodecConfig):
        assert not problems(config)
    for name in list_plugins("modalities"):
        assert not problems(get_modality(name).options_class), name


def test_the_test_finds_what_is_unbounded() -> None:
    class Open(Config):
        width: int = 3
        widths: tuple[int, ...] = ()
        fewest: int | None = None

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
