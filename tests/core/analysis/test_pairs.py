from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis.pairs import differing_pairs, fixed_pairs
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
