from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis.pairs import differing_clips, differing_pairs, fixed_pairs
from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_preset


@pytest.mark.parametrize("n", [2, 3, 10, 101])
def test_each_clip_lends_each_factor_once_and_never_to_itself(n: int) -> None:
    pairs = fixed_pairs(n, seed=4)
    assert sorted(static for static, _ in pairs) == sorted(dynamic for _, dynamic in pairs) == list(range(n))
    assert all(static != dynamic for static, dynamic in pairs)


def test_the_list_is_fixed_by_the_seed_and_a_count_cuts_it() -> None:
    assert fixed_pairs(50) == fixed_pairs(50)
    assert fixed_pairs(50) != fixed_pairs(50, seed=1)
    assert fixed_pairs(50, count=7) == fixed_pairs(50)[:7]
    assert len(fixed_pairs(5, count=9)) == 5


@pytest.mark.parametrize(("n", "count"), [(1, None), (0, None), (5, 0)])
def test_too_few_clips_or_pairs_are_refused(n: int, count: int | None) -> None:
    with pytest.raises(InputError, match=f"at least 2 clips and 1 pair; got {n} and {count}"):
        fixed_pairs(n, count=count)


def test_pairs_differ_in_every_label() -> None:
    dataset = build_dataset("toy", get_preset("toy").data, "test")
    pairs = differing_pairs(dataset, 4, generator=torch.Generator().manual_seed(0))
    a, b = (dataset.fetch(list(side)) for side in zip(*pairs, strict=True))
    assert len(set(a.keys) | set(b.keys)) == 8
    for name in ("level", "path"):
        assert bool(torch.all(a.labels[name] != b.labels[name]))


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
