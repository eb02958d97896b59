"""What holds for every preset of every installed modality."""

from __future__ import annotations

import inspect
import subprocess
import sys

import pytest

from seqdis.core.registry import get_method, get_modality, list_modalities, list_presets


@pytest.mark.parametrize("name", list(list_presets()))
def test_a_preset_is_called_like_the_function_that_builds_it(name: str) -> None:
    build = list_presets()[name]
    assert build.__name__ == name.replace("-", "_")
    config = build()
    assert config.preset == name
    assert name in get_modality(config.modality).presets()
    assert type(config.model) is get_method(config.method).config_class
    assert config == build()


@pytest.mark.parametrize("name", list(list_presets()))
def test_a_preset_says_in_one_sentence_what_it_is(name: str) -> None:
    first = (inspect.getdoc(list_presets()[name]) or "").partition("\n\n")[0]
    assert first.endswith(".")
    assert "\n" not in first


def test_no_name_belongs_to_two_modalities() -> None:
    names = [name for modality in list_modalities() for name in get_modality(modality).presets()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("modality", list_modalities())
def test_a_dataset_of_files_says_under_which_licence_and_whose_it_is(modality: str) -> None:
    for spec in get_modality(modality).datasets().values():
        assert (spec.folder is None) == (not spec.licence) == (not spec.credit), spec.name
        assert spec.derivatives or spec.licence


@pytest.mark.parametrize("modality", ["video", "audio", "timeseries"])
def test_presets_are_imported_without_torch(modality: str) -> None:
    code = f"import sys, seqdis.{modality}.presets; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
