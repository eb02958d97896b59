"""The soak attacks every reader that the registry finds, and its checks see what they are for."""

from __future__ import annotations

import json
import random
import sys
import zlib
from pathlib import Path

import pytest

from seqdis.core.quantize.stream import CodeStream, read_codes, write_codes
from seqdis.core.registry import get_modality, list_methods, list_modalities

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))


def test_every_command_that_writes_a_state_is_killed() -> None:
    from soak.scenarios import SCENARIOS

    commands = {scenario.command for scenario in SCENARIOS}
    assert commands == {"train", "prior fit", "encode", "data encode", "eval", "benchmark"}
    assert len({scenario.name for scenario in SCENARIOS}) == len(SCENARIOS)


@pytest.mark.full
def test_every_suffix_of_every_modality_and_every_method_is_attacked(tmp_path: Path) -> None:
    from soak.readers import all_readers

    names = {reader.name for reader in all_readers(tmp_path / "readers")}
    expected = {
        f"{name} {'folder' if suffix == '/' else suffix}"
        for name in list_modalities()
        for suffix in get_modality(name).reads
    }
    assert expected <= names
    assert {f"weights of {method}" for method in list_methods()} <= names


def test_the_same_seed_damages_alike_and_another_one_differently() -> None:
    from soak.containers import mutate_inside

    content = json.dumps({"a": [1, 2, {"b": "text"}], "c": 1.5}).encode() * 3
    made = [mutate_inside(content, random.Random(seed), [content]) for seed in range(200)]
    assert made == [mutate_inside(content, random.Random(seed), [content]) for seed in range(200)]
    assert len(set(made)) > 150


def test_a_damaged_stream_has_a_checksum_that_agrees(tmp_path: Path) -> None:
    import torch
    from soak.containers import mutate_inside

    write_codes(tmp_path / "a.sqc", CodeStream(torch.arange(40).reshape(20, 2) % 8, 8, 25.0))
    assert read_codes(tmp_path / "a.sqc").entries == 8
    content = (tmp_path / "a.sqc").read_bytes()
    made = [mutate_inside(content, random.Random(seed)) for seed in range(100)]
    agreeing = [x for x in made if x != content and zlib.crc32(x[:-4]) == int.from_bytes(x[-4:], "little")]
    assert len(agreeing) > 30


def test_files_that_are_cut_off_are_found_and_hidden_ones_are_not_asked(tmp_path: Path) -> None:
    from soak.outcome import broken_files, differences, outcome

    (tmp_path / "whole.json").write_text('{"seconds": 1.5, "x": 1}')
    (tmp_path / "cut.json").write_text('{"x": ')
    (tmp_path / "cut.csv").write_text("a,b\n1,")
    end = b"\0\0\0\0IEND\xaeB`\x82"
    (tmp_path / "whole.png").write_bytes(b"\x89PNG" + end + b"more")
    (tmp_path / "cut.png").write_bytes(b"\x89PNG" + end[:-1])
    (tmp_path / ".partial-x.json").write_text("{")
    assert broken_files(tmp_path) == ["cut.csv", "cut.json", "cut.png"]
    before = outcome(tmp_path)
    (tmp_path / "whole.json").write_text('{"seconds": 99, "x": 1}')  # the clock does not count
    (tmp_path / "cut.csv").unlink()
    (tmp_path / "new").write_text("")
    assert differences(before, outcome(tmp_path)) == ["cut.csv is missing", "new is left over"]


def test_counts_of_several_runs_add_up(tmp_path: Path) -> None:
    from soak.tally import Failure, Record, Tally

    failure = Failure("kills", "train/tables", 3, "log.jsonl differs")
    for _ in range(2):
        tally = Tally.load(tmp_path / "soak.json")
        tally.add(Record("kills", "train", {"runs": 1, "kills": 4}, 1.5, 3 << 20, [failure]))
        tally.add(Record("inputs", "video .mp4", {"inputs": 40, "read": 3, "refused": 37}, 0.5, 9 << 20))
        tally.save(tmp_path / "soak.json")
    held = json.loads((tmp_path / "soak.json").read_text())
    assert held["kills"]["train"] == {
        "runs": 2, "kills": 8, "failed": 2, "worst_seconds": 1.5, "peak_mb": 3,
    }  # fmt: skip
    assert held["totals"]["inputs"] == 80
    assert [one["again"] for one in held["failures"]] == ["nox -s soak -- --again kills-train-tables-3"]


def test_a_reading_that_fails_is_told_from_one_that_is_refused(tmp_path: Path) -> None:
    from soak.attack import read_once

    from seqdis.core.errors import InputError

    (tmp_path / "x").write_bytes(b"x")

    def refuse(path: Path) -> None:
        raise InputError(f"{path}: damaged")

    def fail(path: Path) -> None:
        raise KeyError("missing")

    assert read_once(lambda path: path, tmp_path / "x", 0).outcome == "read"
    assert read_once(refuse, tmp_path / "x", 0).outcome == "refused"
    failed = read_once(fail, tmp_path / "x", 0)
    assert (failed.outcome, failed.message) == ("failed", "KeyError: 'missing'")
    assert "Traceback" in failed.detail


def test_a_child_is_killed_where_it_is_asked_and_its_group_with_it(tmp_path: Path) -> None:
    from soak.children import start
    from soak.killing import counted, killed_at_operation

    def write_three() -> int:
        for name in ("a", "b", "c"):
            (tmp_path / name).write_text(name)
        return 0

    ended = start(counted(write_three, tmp_path / "count"), tmp_path / "out.txt").wait(30)
    assert ended.code == 0
    assert int((tmp_path / "count").read_text()) == 3
    for name in "abc":
        (tmp_path / name).unlink()
    ended = start(killed_at_operation(3, write_three), tmp_path / "out.txt").wait(30)
    assert ended.code == -9
    assert [name for name in "abc" if (tmp_path / name).exists()] == ["a", "b"]
    ended = start(lambda: 1 // 0, tmp_path / "out.txt").wait(30)
    assert ended.code == 1
    assert ended.traceback
    assert "ZeroDivisionError" in ended.error
