from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from seqdis.core.analysis import fixed_pairs
from seqdis.core.errors import InputError
from seqdis.eval.engine.pairs import kept_pairs, listed_pairs


def test_a_list_is_kept_and_used_again(tmp_path: Path) -> None:
    path = tmp_path / "eval" / "pairs.json"
    first = kept_pairs(path, dataset="d", clips=9, seed=4)
    assert first == fixed_pairs(9, seed=4)
    kept = json.loads(path.read_text())
    assert kept["pairs"] == [list(pair) for pair in first]
    kept["pairs"] = kept["pairs"][::-1]  # somebody's own order
    path.write_text(json.dumps(kept))
    assert kept_pairs(path, dataset="d", clips=9, seed=4) == first[::-1]
    assert kept_pairs(path, dataset="d", clips=9, seed=4, count=3) == first[::-1][:3]


@pytest.mark.parametrize("change", [{"dataset": "e"}, {"clips": 10}, {"seed": 5}])
def test_one_that_does_not_fit_is_made_anew(tmp_path: Path, change: dict[str, int]) -> None:
    path = tmp_path / "pairs.json"
    about = {"dataset": "d", "clips": 9, "seed": 4}
    kept_pairs(path, **about)
    wanted = {**about, **change}
    assert kept_pairs(path, **wanted) == fixed_pairs(wanted["clips"], seed=wanted["seed"])
    assert json.loads(path.read_text())[next(iter(change))] == next(iter(change.values()))


def test_a_list_that_is_too_short_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    kept_pairs(path, dataset="d", clips=9, count=2)
    assert len(kept_pairs(path, dataset="d", clips=9, count=5)) == 5


def test_a_damaged_list_is_refused_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    for content, message in (
        ("{", "cannot be read as a list of pairs"),
        (
            '{"schema": "x", "dataset": "d", "clips": 9, "seed": 0, "pairs": []}',
            "schema 'x'; this version reads",
        ),
        (
            '{"schema": "seqdis.pairs.1", "dataset": "d", "clips": 2, "seed": 0, "pairs": [[0, 7], [1, 0]]}',
            r"pair \(0, 7\); allowed: clips 0 to 1",
        ),
    ):
        path.write_text(content)
        with pytest.raises(InputError, match=message):
            kept_pairs(path, dataset="d", clips=2)


def test_a_list_that_cannot_be_kept_is_used_and_told_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    with caplog.at_level(logging.WARNING):
        pairs = kept_pairs(tmp_path / "file" / "pairs.json", dataset="d", clips=9, seed=4)
    assert pairs == fixed_pairs(9, seed=4)
    (record,) = caplog.records
    assert record.getMessage().startswith("the pairs are not kept: ")
    assert "\n" not in record.getMessage()


def test_a_list_that_is_given_is_taken_whole_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "pairs.json"
    with pytest.raises(InputError, match=r"pairs\.json: "):
        listed_pairs(path, dataset="d", clips=9)
    pairs = kept_pairs(path, dataset="d", clips=9, seed=4, count=5)
    assert listed_pairs(path, dataset="d", clips=9) == pairs == fixed_pairs(9, seed=4, count=5)
    for other in ({"dataset": "e", "clips": 9}, {"dataset": "d", "clips": 8}):
        with pytest.raises(InputError, match=r"pairs of 9 clips of d; here are [89] of [de]"):
            listed_pairs(path, **other)  # type: ignore[arg-type]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"pairs": []}))
    with pytest.raises(InputError, match="lists no pair"):
        listed_pairs(path, dataset="d", clips=9)


def test_the_list_of_the_published_figures_is_drawn_by_its_seed() -> None:
    path = Path(__file__).parents[3] / "benchmarks" / "pairs" / "sprites.json"
    assert listed_pairs(path, dataset="sprites", clips=2664) == fixed_pairs(2664, seed=0, count=384)
