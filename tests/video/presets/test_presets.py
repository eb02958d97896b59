"""What every preset of video has in common, of whatever method."""

from __future__ import annotations

import json

import pytest

from seqdis.core.config import RunConfig, parse_config
from seqdis.video import VideoModality
from seqdis.video.presets import PRESETS

NAMES = {
    "diffsda-mug",
    "diffsda-taichi",
    "diffsda-voxceleb",
    "diffsda-celebvhq",
    "diffsda-sprites",
    "diffsda-sprites32",
    "diffsda-sprites32-paper",
    "diffsda-shapes",
    "diffsda-video",
    "bcd-lrs3",
    "bcd-sprites",
    "bcd-sprites32",
    "bcd-shapes",
    "dsvae-sprites",
    "dsvae-sprites32",
    "dsvae-shapes",
    "s3vae-smmnist",
    "s3vae-sprites",
    "s3vae-mug",
    "s3vae-sprites32",
    "s3vae-sprites32-paper",
    "s3vae-shapes",
    "divid-mhad",
    "divid-mead",
    "divid-sprites",
    "divid-sprites32",
    "divid-shapes",
    "vdsm-mug",
    "vdsm-sprites",
    "vdsm-moving-mnist",
    "vdsm-pendulum",
    "vdsm-sprites32",
    "vdsm-sprites32-paper",
    "vdsm-pendulum16",
}


def test_they_are_all_there() -> None:
    assert set(PRESETS) == NAMES


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_survives_its_file(name: str) -> None:
    preset = PRESETS[name]()
    assert preset.preset == name
    values = json.loads(json.dumps(preset.model_dump(mode="json")))
    model = parse_config(type(preset.model), values["model"], where="test")
    assert parse_config(RunConfig, values | {"model": model}, where="test") == preset


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_a_preset_names_data_and_options_that_exist(name: str) -> None:
    video, data = VideoModality(), PRESETS[name]().data
    assert data.dataset == "folder" or data.dataset in video.datasets()
    assert video.options(data).model_dump() == data.options
