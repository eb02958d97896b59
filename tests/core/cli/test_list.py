from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from seqdis.core import registry
from seqdis.core.errors import InputError

Command = Callable[..., Result]


def test_a_table_of_each_kind(seqdis: Command) -> None:
    shown = seqdis("list").stdout
    for word in (
        "modalities",
        "methods",
        "presets",
        "datasets",
        "diffsda",
        "toy",
        "ramps",
        "vectors for tests",
    ):
        assert word in shown


def test_json_of_one_kind_is_a_list(seqdis: Command) -> None:
    rows = json.loads(seqdis("list", "presets", "--json").stdout)
    toy = next(row for row in rows if row["name"] == "toy")
    assert toy == {
        "name": "toy",
        "modality": "toy",
        "method": "diffsda",
        "dataset": "ramps",
        "steps": 6,
        "frame": [8],
    }


def test_json_of_all_kinds_is_an_object(seqdis: Command) -> None:
    listed = json.loads(seqdis("list", "--json").stdout)
    assert list(listed) == ["modalities", "methods", "presets", "datasets", "samplers", "priors", "executors"]
    toy = next(row for row in listed["modalities"] if row["name"] == "toy")
    assert (toy["reads"], toy["demo"]) == ([".npy"], "toy")
    ramps = next(row for row in listed["datasets"] if row["name"] == "ramps")
    assert (ramps["static"], ramps["dynamic"], ramps["found"]) == (["level"], ["path"], "generated")


def test_samplers_and_priors_are_listed_like_methods(seqdis: Command) -> None:
    samplers = json.loads(seqdis("list", "samplers", "--json").stdout)
    assert [row["name"] for row in samplers] == ["ddim", "ddpm", "dpmpp", "edm", "unipc"]
    assert samplers[0]["settings"] == ["eta", "corrections"]
    assert samplers[0]["summary"].startswith("Euler's method")
    priors = json.loads(seqdis("list", "priors", "--json").stdout)
    assert {"autoregressive", "latent_ddim"} <= {row["name"] for row in priors}
    assert all(row["summary"] for row in priors)


def test_an_unknown_kind_is_a_usage_error(seqdis: Command) -> None:
    result = seqdis("list", "models")
    assert result.exit_code == 2
    assert "modalities" in result.stderr


def test_a_modality_that_cannot_be_imported_is_listed_with_the_reason(
    seqdis: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = registry.get_modality

    def get(name: str) -> object:
        if name == "broken":
            raise InputError("importing it failed: no libfoo")
        return real(name)

    monkeypatch.setattr(registry, "list_modalities", lambda: ["broken", "toy"])
    monkeypatch.setattr(registry, "get_modality", get)
    rows = {row["name"]: row for row in json.loads(seqdis("list", "modalities", "--json").stdout)}
    assert rows["toy"]["summary"] == "vectors for tests"
    assert rows["broken"]["summary"] == "cannot be used: importing it failed: no libfoo"
