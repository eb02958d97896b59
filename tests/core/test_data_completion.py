"""Settings that were filled in when a run began, and the files that it goes on with."""

from __future__ import annotations

from typing import Any

from seqdis.core.config import DataConfig, RunConfig
from seqdis.core.data_completion import keep_completion
from seqdis.core.registry import get_preset


def config(**data: Any) -> RunConfig:
    settings = {"dataset": "folder", "length": 64, "frame_shape": (), "options": {}} | data
    return get_preset("toy").model_copy(update={"data": DataConfig(**settings)})


def test_what_was_left_open_stays_as_it_was_found_first() -> None:
    given = config(options={"rate": None, "bins": 80})
    before = config(length=20, frame_shape=(80,), min_length=20, options={"rate": 8000, "bins": 80, "hop": 8})
    now = config(length=30, frame_shape=(81,), min_length=30, options={"rate": 16000, "bins": 80, "hop": 9})
    assert keep_completion(now, given, before).data == before.data


def test_what_was_asked_for_is_taken_as_it_is() -> None:
    given = config(length=48, frame_shape=(3,), options={"rate": 16000})
    before = config(length=20, frame_shape=(80,), min_length=20, options={"rate": 8000})
    assert keep_completion(given, given, before) == given
