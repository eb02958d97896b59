from __future__ import annotations

import pytest
import torch

from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.sliding_windows import SlidingWindows, window_starts
from seqdis.core.errors import InputError

LABELS = {"kind": Label(("a", "b"), "static")}


def clip(steps: int, key: str = "clip", **rest) -> Clip:
    return Clip(torch.arange(steps, dtype=torch.float32)[:, None], key, **rest)


@pytest.mark.parametrize(
    ("total", "length", "stride"), [(10, 3, 1), (10, 3, 4), (9, 3, 3), (3, 3, 5), (2, 3, 1)]
)
def test_starts_are_all_multiples_of_the_stride_that_fit(total: int, length: int, stride: int) -> None:
    expected = [s for s in range(0, total, stride) if s + length <= total]
    assert window_starts(total, length, stride) == expected


def test_starts_need_positive_numbers() -> None:
    for length, stride in ((0, 1), (1, 0)):
        with pytest.raises(InputError, match=f"got {length} and {stride}"):
            window_starts(5, length, stride)


def test_windows_of_every_clip_in_order_with_their_keys_and_labels() -> None:
    clips = [clip(7, "long", labels={"kind": 0}), clip(3, "short", labels={"kind": 1})]
    batch = (windows := SlidingWindows(clips, 3, labels=LABELS)).fetch(range(len(windows)))
    assert batch.keys == ["long@0", "long@3", "short"]
    assert batch.x[..., 0].tolist() == [[0, 1, 2], [3, 4, 5], [0, 1, 2]]
    assert batch.labels["kind"].tolist() == [0, 0, 1]
    assert batch.observed is None
    assert len(SlidingWindows(clips, 3, stride=1)) == 5 + 1
