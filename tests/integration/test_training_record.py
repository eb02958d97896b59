"""The budget of a training is read from its run's folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqdis.core.config import apply_overrides
from seqdis.core.errors import InputError
from seqdis.core.registry import get_preset, list_presets
from seqdis.core.training_record import changed_settings, read_training


def test_a_run_says_what_it_was_trained_for(tmp_path: Path) -> None:
    name = sorted(list_presets())[0]
    config = apply_overrides(get_preset(name), ["train.batch_size=3", "train.lr=0.5"])
    assert read_training(tmp_path) is None
    (tmp_path / "config.json").write_text(config.model_dump_json())
    assert read_training(tmp_path) is None
    (tmp_path / "run.json").write_text(json.dumps({"steps": 7, "seconds": 1.5}))
    record = read_training(tmp_path, case="c")
    assert record is not None
    assert (record.steps, record.batch_size, record.seconds, record.case) == (7, 3, 1.5, "c")
    assert (record.run, record.method, record.preset) == (tmp_path.as_posix(), config.method, name)
    assert record.sequence_shape == (config.data.length, *config.data.frame_shape)
    assert record.changes == ()  # the optimiser's settings are no change of the model


@pytest.mark.parametrize("about", [{"steps": "x"}, {"steps": 0}, {"steps": 7, "seconds": -1}])
def test_a_damaged_record_is_told_in_one_line(about: dict[str, object], tmp_path: Path) -> None:
    config = get_preset(sorted(list_presets())[0])
    (tmp_path / "config.json").write_text(config.model_dump_json())
    (tmp_path / "run.json").write_text(json.dumps(about))
    with pytest.raises(InputError, match=r"run\.json: key '(steps|seconds)' is ") as refused:
        read_training(tmp_path)
    assert "\n" not in str(refused.value)


def test_changes_are_named_by_the_shortest_path() -> None:
    name = next(
        name for name, build in list_presets().items() if "static_dim" in type(build().model).model_fields
    )
    preset = get_preset(name)
    changed = apply_overrides(preset, ["static_dim=77", "data.length=9"])
    assert changed_settings(preset) == ()
    assert set(changed_settings(changed)) == {"static_dim=77", "length=9"}
    assert changed_settings(changed.model_copy(update={"preset": "unknown"})) == ()
