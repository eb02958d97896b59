from __future__ import annotations

import pytest
import torch

from seqdis.core.data.clip import Clip
from seqdis.core.data.differing_clips import differing_clips
from seqdis.core.data.labels import Label
from seqdis.core.data.random_windows import RandomWindows


def people(labelled: bool) -> RandomWindows:
    """Two recordings each of four people in folders of their own, of two actions; every recording gives 50 views."""
    clips = [
        Clip(
            torch.zeros(200, 1),
            f"p{who}/{act}.mp4",
            labels={"who": f"p{who}", "act": act} if labelled else None,
        )
        for who in range(4)
        for act in ("run", "sit")
    ]
    meaning = {"who": Label(("p0", "p1", "p2", "p3"), "static"), "act": Label(("run", "sit"), "dynamic")}
    return RandomWindows(clips, 4, labels=meaning if labelled else None)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("seed", range(5))
def test_clips_to_look_at_are_of_different_people(labelled: bool, seed: int) -> None:
    dataset = people(labelled)
    chosen = differing_clips(dataset, 4, seed=seed)
    assert chosen == differing_clips(dataset, 4, seed=seed)
    keys = dataset.fetch(chosen).keys
    assert len({key.partition("/")[0] for key in keys}) == 4


@pytest.mark.parametrize("seed", range(5))
def test_two_clips_differ_in_both_factors(seed: int) -> None:
    dataset = people(labelled=True)
    labels = dataset.fetch(differing_clips(dataset, 2, seed=seed)).labels
    assert all(bool(value[0] != value[1]) for value in labels.values())


def test_fewer_clips_are_given_where_there_are_no_more() -> None:
    dataset = RandomWindows([Clip(torch.zeros(4, 1), "x")], 4)
    assert differing_clips(dataset, 4) == [0]
