from __future__ import annotations

import json
from pathlib import Path

import pytest
from slow_shards import WordsJob, expected, words_plan, written

from seqdis.core.errors import InputError
from seqdis.core.executors import ShardFolder, ShardPlan, get_executor, run_shards
from seqdis.core.processes import Processes


def run(folder: ShardFolder, *, force: bool = False, workers: int = 0) -> list[tuple[int, int]]:
    reports: list[tuple[int, int]] = []
    run_shards(
        folder,
        get_executor("local", {"processes": 1}),
        processes=Processes(cpu=True),
        force=force,
        workers=workers,
        progress=lambda *report: reports.append(report),
    )
    return reports


def folder(path: Path, count: int = 5, **changes: str) -> ShardFolder:
    return ShardFolder(WordsJob(path / "shards", "cpu"), words_plan(count, **changes))


@pytest.mark.parametrize("workers", [0, 2])
def test_shards_hold_the_same_whoever_reads_ahead(tmp_path: Path, workers: int) -> None:
    reports = run(folder(tmp_path), workers=workers)
    assert written(tmp_path / "shards") == expected(5)
    assert reports == [(done, 5) for done in range(1, 6)]


def test_only_what_is_missing_is_computed(tmp_path: Path) -> None:
    made = folder(tmp_path)
    run(made)
    (tmp_path / "shards" / "000003.txt").unlink()
    (tmp_path / "shards" / "000001.txt").write_text("as it was")
    left = f".partial-000003.txt-{'0' * 8}-1-{'1' * 8}"  # by a killed process, perhaps of another machine
    (tmp_path / "shards" / left).mkdir()
    assert made.missing() == [3]
    assert run(made) == [(1, 1)]
    assert written(tmp_path / "shards") == expected(5) | {"000001.txt": "as it was"}
    made.finish({"words": 10})
    index = json.loads((tmp_path / "shards" / "index.json").read_text())
    assert index == {
        "format": "seqdis.shards.1",
        "job": "words",
        "made_from": {"inputs": "x", "model": "y"},
        "shards": 5,
        "finished": True,
        "words": 10,
    }
    names = {path.name for path in (tmp_path / "shards").iterdir()}
    assert names == {*expected(5), "index.json", "plan.json"}


def test_shards_of_something_else_are_refused_or_made_anew(tmp_path: Path) -> None:
    run(folder(tmp_path))
    place = tmp_path / "shards"
    with pytest.raises(InputError) as error:
        run(folder(tmp_path, 3, model="another", inputs="others"))
    assert str(error.value) == (
        f"{place}: holds shards made from other inputs and model; --force starts over, another --out leaves them"
    )
    assert written(place) == expected(5)
    run(folder(tmp_path, 3, model="another"), force=True)
    assert written(place) == expected(3)


def test_a_folder_with_other_things_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "notes.md").write_text("mine")
    with pytest.raises(InputError, match="is there and holds no shards; give a new or an empty folder"):
        run(folder(tmp_path), force=True)
    assert [path.name for path in (tmp_path / "shards").iterdir()] == ["notes.md"]


def test_an_index_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    run(folder(tmp_path))
    index = tmp_path / "shards" / "index.json"
    whole = json.loads(index.read_text())
    damaged = {
        "{": "cannot be read as an index",
        "[]": "is no index of shards",
        json.dumps({**whole, "made_from": [1]}): "index.json: cannot be read as an index of shards",
        json.dumps({name: value for name, value in whole.items() if name != "job"}): "'job' is missing",
    }
    for text, message in damaged.items():
        index.write_text(text)
        with pytest.raises(InputError, match=message):
            run(folder(tmp_path))


def test_what_was_finished_before_an_error_is_kept(tmp_path: Path) -> None:
    words = [["one"], ["two"], ["refused"], ["three"]]
    made = ShardFolder(WordsJob(tmp_path / "new" / "shards", "cpu"), ShardPlan(words, {}))
    with pytest.raises(InputError) as error:
        run(made)
    assert str(error.value) == (
        f"refused: no word; 2 of 4 shards are kept in {made.path}, and the same command goes on from there"
    )
    assert made.missing() == [2, 3]


def test_nothing_is_left_where_nothing_was_finished(tmp_path: Path) -> None:
    made = ShardFolder(WordsJob(tmp_path / "new" / "shards", "cpu"), ShardPlan([["refused"]], {}))
    with pytest.raises(InputError, match=r"^refused: no word$"):
        run(made)
    assert list(tmp_path.iterdir()) == []
