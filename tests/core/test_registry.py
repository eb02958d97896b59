from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from seqdis.core import plugins
from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.methods.diffsda import DiffSDA
from seqdis.core.modality import DatasetSpec
from seqdis.core.registry import (
    build_dataset,
    data_root,
    get_dataset,
    get_method,
    get_modality,
    get_plugin,
    get_preset,
    list_methods,
    list_modalities,
    list_presets,
)


def test_what_is_installed_is_found_by_entry_point() -> None:
    assert "toy" in list_modalities()
    assert get_modality("toy") is get_modality("toy")
    assert {"toy", "toy-folder"} <= set(list_presets())
    assert "diffsda" in list_methods()
    assert get_method("diffsda") is DiffSDA
    assert get_preset("toy").modality == "toy"
    assert get_dataset("toy", "ramps").name == "ramps"


def test_unknown_names_list_what_there_is() -> None:
    for action, message in (
        (
            lambda: get_preset("toyy"),
            r"unknown preset 'toyy' \(did you mean 'toy'\?\); allowed: .*toy-folder",
        ),
        (lambda: get_modality("smell"), "unknown modality 'smell'; allowed: .*toy"),
        (lambda: get_method("magic"), "unknown method 'magic'; allowed: .*diffsda"),
        (lambda: get_dataset("toy", "ramp"), "unknown toy dataset 'ramp' .*allowed: folder, ramps"),
        (
            lambda: build_dataset("toy", get_preset("toy").data, "dev"),
            "unknown split 'dev'; allowed: test, train, val",
        ),
        (lambda: get_plugin("scents", "rose"), "unknown scent 'rose'; allowed: none is installed"),
    ):
        with pytest.raises(InputError, match=message):
            action()


@pytest.mark.parametrize("value", ["no_such_module:Thing", "seqdis.core.errors:NoSuchThing"])
def test_a_plugin_that_cannot_be_imported_is_told(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    point = EntryPoint("broken", value, "seqdis.modalities")
    monkeypatch.setattr(plugins, "plugin_points", lambda group: {"broken": point})
    with pytest.raises(
        InputError, match="'broken' is declared by an installed package, but importing it failed"
    ):
        get_plugin("modalities", "broken")
    assert dict(list_presets()) == {}  # one broken package does not hide the others


def test_an_entry_point_that_is_no_modality_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    point = EntryPoint("wrong", "builtins:dict", "seqdis.modalities")
    monkeypatch.setattr(plugins, "plugin_points", lambda group: {"wrong": point})
    with pytest.raises(
        InputError, match="modality 'wrong': its entry point must name a Modality; got <class 'dict'>"
    ):
        get_modality("wrong")
    assert dict(list_presets()) == {}


def test_a_dataset_is_looked_for_where_it_was_given_and_then_below_the_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = DatasetSpec("d", "", {}, lambda *_: None, folder="d", source="https://example.org/d")  # type: ignore[arg-type]
    monkeypatch.delenv("SEQDIS_DATA", raising=False)
    with pytest.raises(
        InputError, match=r"'d': neither --data nor SEQDIS_DATA is set; its source: https://example"
    ):
        data_root(spec)
    monkeypatch.setenv("SEQDIS_DATA", str(tmp_path))
    with pytest.raises(InputError, match="d is not a folder; its source"):
        data_root(spec)
    (tmp_path / "d").mkdir()
    assert data_root(spec) == tmp_path / "d"
    assert data_root(spec, tmp_path) == tmp_path
    assert data_root(DatasetSpec("g", "", {}, spec.build)) is None


def test_a_dataset_is_a_function_of_its_seed_and_splits_differ() -> None:
    data = get_preset("toy").data
    one, again, other = (build_dataset("toy", data, "test", seed=seed).fetch([0, 1]).x for seed in (0, 0, 1))
    assert (one == again).all()
    assert (one != other).any()


def test_a_dataset_of_another_shape_than_the_preset_says_is_refused() -> None:
    data = get_preset("toy").data.model_copy(update={"frame_shape": (4,)})
    with pytest.raises(InputError, match=r"'ramps' gives sequences \(6, 8\); the preset says \(6, 4\)"):
        build_dataset("toy", data, "train")


def test_a_folder_must_be_named() -> None:
    with pytest.raises(InputError, match="needs --data FOLDER"):
        build_dataset("toy", DataConfig(dataset="folder", length=2, frame_shape=(8,)), "train")
