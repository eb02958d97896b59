from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.recording_part import part_in_time
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
    clips = [clip(7, "long", labels={"kind": "a"}), clip(3, "short", labels={"kind": "b"})]
    batch = (windows := SlidingWindows(clips, 3, labels=LABELS)).fetch(range(len(windows)))
    assert batch.keys == ["long@0", "long@3", "short"]
    assert batch.x[..., 0].tolist() == [[0, 1, 2], [3, 4, 5], [0, 1, 2]]
    assert batch.labels["kind"].tolist() == [0, 0, 1]
    assert batch.observed is None
    assert len(SlidingWindows(clips, 3, stride=1)) == 5 + 1
    assert windows.all_labels()["kind"].tolist() == [0, 0, 1]


def test_a_recording_shorter_than_a_window_is_padded_and_masked() -> None:
    batch = SlidingWindows([clip(2, "short"), clip(3, "whole")], 3).fetch([0, 1])
    assert batch.x[..., 0].tolist() == [[0, 1, 0], [0, 1, 2]]
    assert batch.mask is not None
    assert batch.mask.tolist() == [[True, True, False], [True, True, True]]
    assert SlidingWindows([clip(3), clip(4)], 3).fetch([0]).mask is None


@pytest.mark.parametrize(("total", "stride"), [(7, 3), (8, 3), (9, 3), (10, 4), (2, 3), (12, 5)])
def test_with_a_tail_no_step_is_left_out(total: int, stride: int) -> None:
    windows = SlidingWindows([clip(total)], 3, stride=stride, tail=True)
    batch = windows.fetch(range(len(windows)))
    seen = batch.x[..., 0].flatten() if batch.mask is None else batch.x[..., 0][batch.mask]
    skipped = {
        s for s in range(total) if s % stride >= 3
    }  # a stride above the length leaves these out by itself
    assert set(range(total)) - set(seen.long().tolist()) <= skipped


def test_time_stamps_and_labels_of_steps_come_with_the_windows() -> None:
    hours = np.datetime64("2026-01-01T00") + np.arange(5) * np.timedelta64(1, "h")
    dated = clip(5, stamps=hours, steps_labelled={"mode": np.array(["on", "on", "off", "off", "on"])})
    windows = SlidingWindows([dated], 3, tail=True, step_labels={"mode": Label(("off", "on"), "dynamic")})
    batch = windows.fetch([0, 1])
    assert batch.stamps is not None
    assert (batch.stamps[0] == hours[:3]).all()
    assert (batch.stamps[1, :2] == hours[3:]).all()
    assert np.isnat(batch.stamps[1, 2])
    assert batch.step_labels["mode"].tolist() == [[1, 1, 0], [0, 1, -1]]


def test_a_label_that_is_missing_or_unknown_is_told() -> None:
    for labels in (None, {"kind": "z"}):
        with pytest.raises(InputError, match=r"clip: label 'kind' is (None|'z'); allowed: a, b"):
            SlidingWindows([clip(3, labels=labels)], 3, labels=LABELS)


def test_a_part_of_what_lies_in_memory_does_so_too() -> None:
    assert SlidingWindows([part_in_time(clip(9), 2, 7)], 3).in_memory
