from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seqdis.core.errors import InputError
from seqdis.core.run_record import RunRecord, read_run_record


def test_what_is_missing_is_not_known_and_further_keys_are_of_no_concern(tmp_path: Path) -> None:
    assert read_run_record(tmp_path) is None
    (tmp_path / "run.json").write_text("{}")
    assert read_run_record(tmp_path) == RunRecord()
    values = {"command": "seqdis train x", "seconds": 3, "steps": 7, "versions": {"torch": "2"}}
    (tmp_path / "run.json").write_text(json.dumps({**values, "notes": [1], "best_step": None}))
    assert read_run_record(tmp_path) == RunRecord(**values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], "got list; allowed: the record of a run"),
        ({"command": ["a"]}, r"key 'command' is \['a'\], but: Input should be a valid string"),
        ({"device": 3}, "key 'device' is 3"),
        ({"seconds": "x"}, "key 'seconds' is 'x'"),
        ({"seconds": 1e30}, "key 'seconds' is 1e[+]30, but: .* less than or equal to 10000000000"),
        ({"seconds": -1}, "key 'seconds' is -1"),
        ({"seconds": float("nan")}, "key 'seconds' is nan, but: Input should be a finite number"),
        ({"seconds": 10**400}, "a whole number of 1329 bits; allowed: 63"),
        ({"steps": 10**10}, "key 'steps' is 10000000000, but: .* less than or equal to 1000000000"),
        ({"steps": 1.5}, "key 'steps' is 1.5"),
        ({"versions": {"torch": 2}}, "key 'versions.torch' is 2"),
    ],
)
def test_a_damaged_record_is_told_by_its_key(tmp_path: Path, values: Any, message: str) -> None:
    (tmp_path / "run.json").write_text(json.dumps(values))
    with pytest.raises(InputError, match=rf"^{tmp_path}/run\.json: {message}") as told:
        read_run_record(tmp_path)
    assert "\n" not in str(told.value)
