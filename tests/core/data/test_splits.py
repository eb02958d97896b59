from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from seqdis.core.data.clip import Clip
from seqdis.core.data.splits import SPLITS, RecordingSplits, group_of, split_recordings
from seqdis.core.errors import InputError


def clips(count: int, people: int, *, steps: int = 8) -> list[Clip]:
    """Recordings ``p<person>/<number>/x`` with the person and their hand as labels."""
    return [
        Clip(
            torch.zeros(steps, 1),
            f"p{i % people}/{i}/x",
            labels={"who": f"w{i % people}", "hand": str(i % 2)},
        )
        for i in range(count)
    ]


def groups_of(splits: RecordingSplits, group: str) -> dict[str, set[str]]:
    return {name: {group_of(one, group) for one in part} for name, part in splits.parts.items()}


@pytest.mark.parametrize("people", [3, 4, 7, 30])
@pytest.mark.parametrize("group", ["folder", "who"])
def test_a_group_is_in_one_split_and_no_split_is_empty(people: int, group: str) -> None:
    splits = split_recordings(clips(120, people), length=4, group=group)
    found = groups_of(splits, group)
    assert all(found.values())
    assert sum(map(len, found.values())) == len(set().union(*found.values())) == people
    assert sum(map(len, splits.parts.values())) == 120
    assert f"by {group}, {people} groups" in splits.rule


def test_a_group_stays_in_its_split_when_others_come() -> None:
    before = groups_of(split_recordings(clips(200, 40), length=4, group="who"), "who")
    after = groups_of(split_recordings(clips(400, 60), length=4, group="who"), "who")
    assert all(before[name] <= after[name] for name in SPLITS)


@pytest.mark.parametrize(
    ("group", "expected"), [("folder", "p1"), ("parent", "p1/3"), ("who", "w1"), ("hand", "1")]
)
def test_the_group_of_a_recording(group: str, expected: str) -> None:
    assert group_of(clips(4, 2)[3], group) == expected


@pytest.mark.parametrize(
    ("make", "group", "message"),
    [
        (
            lambda: clips(9, 3),
            "age",
            "group=age: p0/0/x has no such label; allowed: folder, parent, who, hand",
        ),
        (lambda: [Clip(torch.zeros(4, 1), "x")], "folder", "group=folder: x lies in no folder"),
        (lambda: clips(9, 2), "who", "group=who: 2 groups .*; allowed: 3 or more"),
    ],
)
def test_what_makes_no_groups_is_told(make: Callable[[], list[Clip]], group: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        split_recordings(make(), length=4, group=group)


def test_the_rule_is_said() -> None:
    assert "hash of its name" in split_recordings(clips(60, 3), length=4).rule
    assert "in time" in split_recordings(clips(2, 2, steps=100), length=4).rule
    named = [Clip(torch.zeros(4, 1), f"{name}/x") for name in ("train", "val")]
    assert split_recordings(named, length=4).rule == "the folders train, val"
