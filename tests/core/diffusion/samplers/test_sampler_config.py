"""Settings of samplers: one record an algorithm, told apart by its kind, and open to other packages."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from seqdis.core import plugins
from seqdis.core.cli.app import app
from seqdis.core.config import Config, RunConfig, apply_overrides, parse_config
from seqdis.core.diffusion.samplers.ddim import DDIMConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.diffusion.samplers.sampler_config import AnySamplerConfig, SamplerConfig
from seqdis.core.errors import InputError
from seqdis.core.kind_config import switch_kind
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset, get_sampler, list_samplers

SOURCE = '''
from typing import ClassVar, Literal

from pydantic import Field

from seqdis.core.diffusion.samplers import Sampler, SamplerConfig, SamplerState


class DampedConfig(SamplerConfig):
    kind: Literal["damped"] = "damped"
    damping: float = Field(0.5, ge=0, le=1)


class DampedSampler(Sampler):
    """Euler's method on estimates that are scaled down."""

    config_class: ClassVar[type[SamplerConfig]] = DampedConfig
    invertible: ClassVar[bool] = True

    def step(self, denoise, state, sigma_next, *, rows=None) -> SamplerState:
        denoised = denoise(state.x, state.level) * (1 - self.config.damping)
        moved = denoised + sigma_next / state.level * (state.x - denoised)
        return state.after(moved, sigma_next, denoised)
'''


class Holder(Config):
    """What a method's configuration is to a sampler's."""

    sampler: AnySamplerConfig = EDMConfig(steps=7)


def change(*overrides: str, preset: RunConfig | None = None) -> SamplerConfig:
    config = apply_overrides(preset or get_preset("toy"), overrides)
    sampler: SamplerConfig = config.model.sampler  # type: ignore[attr-defined]
    return sampler


@pytest.fixture
def damped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Another package's sampler, installed by its entry point."""
    (tmp_path / "damped_sampler.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    point = EntryPoint("damped", "damped_sampler:DampedSampler", "seqdis.samplers")
    real = plugins.plugin_points

    def points(group: str) -> dict[str, EntryPoint]:
        return {**real(group), **({"damped": point} if group == "samplers" else {})}

    monkeypatch.setattr(plugins, "plugin_points", points)
    yield
    sys.modules.pop("damped_sampler", None)


@pytest.mark.parametrize("kind", ["edm", "ddim", "ddpm", "dpmpp", "unipc"])
def test_settings_survive_json_with_all_that_their_kind_has(kind: str) -> None:
    assert kind in list_samplers()
    config = get_sampler(kind).config_class(steps=5, levels=(3.0, 1.0, 0.0))
    holder = Holder(sampler=config)
    values = json.loads(holder.model_dump_json())
    assert set(values["sampler"]) == set(type(config).model_fields)
    again = parse_config(Holder, values, where="here")
    assert again == holder
    assert type(again.sampler) is type(config)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            {"kind": "edm", "eta": 0.5},
            r"^a\.json: key 'sampler\.eta' is 0\.5, but: sampler 'edm' has no setting 'eta'; "
            r"allowed: kind, steps, .*s_churn",
        ),
        (
            {"kind": "ddimm"},
            r"key 'sampler\.kind' is 'ddimm', but: unknown sampler 'ddimm' \(did you mean 'ddim'\?\); "
            "allowed: ddim, ddpm, dpmpp, edm, unipc",
        ),
        ({"steps": 5}, r"key 'sampler\.kind' is {'steps': 5}, but: its kind is missing; allowed: ddim, "),
        ({"kind": "ddim", "eta": 2}, r"key 'sampler\.eta' is 2, but: Input should be less than"),
        ({"kind": "ddim", "steps": 0}, r"key 'sampler\.steps' is 0"),
        ({"kind": ["ddim"]}, r"key 'sampler\.kind' is \['ddim'\], but: unknown sampler"),
        ("ddim", "key 'sampler' is 'ddim', but: Input should be a valid dictionary or instance of"),
    ],
)
def test_what_is_wrong_is_named_with_its_kind(values: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_config(Holder, {"sampler": values}, where="a.json")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("order", [1, -1])
def test_one_line_changes_the_kind_and_its_settings_in_any_order(order: int) -> None:
    overrides = ["sampler.kind=ddim", "sampler.eta=0.5"][::order]
    assert change(*overrides) == DDIMConfig(steps=8, eta=0.5)  # the preset's steps stay
    assert change(*overrides, "sampler.steps=3").steps == 3


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (
            ["sampler.kind=edm", "sampler.eta=0.5"],
            "^override: sampler 'edm' has no setting 'eta'; allowed: kind, steps, .*s_churn, s_tmin",
        ),
        (["model.sampler.eta=0.5"], "sampler 'edm' has no setting 'eta'"),
        (
            ["sampler.kind=ddim", "sampler.s_churn=1"],
            r"sampler 'ddim' has no setting 's_churn'; allowed: kind, steps, .*eta",
        ),
        (["sampler.kind=euler"], "override sampler.kind=euler: unknown sampler 'euler'; allowed: ddim, ddpm"),
        (["sampler.kind=5"], "unknown sampler '5'"),
        (["sampler.eta.x=5"], r"unknown key 'sampler\.eta\.x'"),
        (["sampler.kind=ddim", "sampler.eta=2"], r"key 'sampler\.eta' is 2"),
    ],
)
def test_a_wrong_override_of_a_sampler_is_named(overrides: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        change(*overrides)
    assert "\n" not in str(caught.value)


def test_a_changed_setting_is_not_lost_with_its_kind_unless_the_whole_is_replaced() -> None:
    churned = apply_overrides(get_preset("toy"), ["sampler.s_churn=3"])
    with pytest.raises(
        InputError,
        match=r"sampler\.kind=ddim: sampler 'ddim' has no setting 's_churn', which is 3\.0 here; allowed: kind,",
    ):
        change("sampler.kind=ddim", preset=churned)
    assert change('sampler={"kind": "ddim", "steps": 4}', preset=churned) == DDIMConfig(steps=4)
    current: SamplerConfig = EDMConfig(steps=6, s_churn=3.0, rho=5.0)
    assert switch_kind(current, "ddim") == DDIMConfig(steps=6, rho=5.0)


def test_a_sampler_of_another_package_is_one_file_with_an_entry_point(damped: None) -> None:
    assert "damped" in list_samplers()
    preset = apply_overrides(get_preset("toy"), ["sampler.kind=damped", "sampler.damping=1"])
    values = preset.model_dump(mode="json")
    assert values["model"]["sampler"]["damping"] == 1.0
    model = build_model(RunConfig.model_validate(values | {"model": type(preset.model)(**values["model"])}))
    assert type(model.sampling.sampler).__name__ == "DampedSampler"  # type: ignore[union-attr]
    shape = (2, 6, 8)
    result = model.sampling.sample(  # type: ignore[union-attr]
        lambda x, level: x, shape, generator=torch.Generator().manual_seed(0)
    )
    assert not result.x.any()  # all estimates are scaled down to nothing
    with pytest.raises(InputError, match=r"sampler 'damped' has no setting 'eta'; allowed: .*damping"):
        change("sampler.kind=damped", "sampler.eta=1")
    listed = json.loads(CliRunner().invoke(app, ["list", "samplers", "--json"]).stdout)
    row = next(row for row in listed if row["name"] == "damped")
    assert row == {
        "name": "damped",
        "summary": "Euler's method on estimates that are scaled down.",
        "settings": ["damping"],
    }
