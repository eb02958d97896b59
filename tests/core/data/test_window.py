from __future__ import annotations

import pytest
import torch

from seqdis.core.data.sequence import Label
from seqdis.core.data.window import Clip, RandomWindows, sliding_windows, window_starts
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
    batch = (windows := sliding_windows(clips, 3, labels=LABELS)).fetch(range(len(windows)))
    assert batch.keys == ["long@0", "long@3", "short"]
    assert batch.x[..., 0].tolist() == [[0, 1, 2], [3, 4, 5], [0, 1, 2]]
    assert batch.labels["kind"].tolist() == [0, 0, 1]
    assert batch.observed is None
    assert len(sliding_windows(clips, 3, stride=1)) == 5 + 1


def test_a_gap_in_one_recording_is_kept_and_the_others_are_whole() -> None:
    seen = torch.tensor([True, False, True])[:, None]
    clips = [clip(3, "gap", observed=seen), clip(3, "whole")]
    for windows in (sliding_windows(clips, 3), RandomWindows(clips, 3)):
        observed = windows.fetch([0, 1]).observed
        assert observed is not None
        assert torch.equal(observed[0], seen)
        assert observed[1].all()


def test_a_random_view_is_a_run_of_steps_fixed_by_seed_epoch_and_index() -> None:
    windows = RandomWindows([clip(50), clip(9)], 4, seed=3, repeats=5)
    assert len(windows) == 10
    assert windows.shape == (4, 1)
    x = windows.fetch(range(10), epoch=2).x[..., 0]
    assert torch.equal(x[:, 1:] - x[:, :-1], torch.ones(10, 3))
    assert torch.equal(windows.fetch([7], epoch=2).x[..., 0], x[7:8])
    assert not torch.equal(windows.fetch(range(10), epoch=3).x[..., 0], x)
    assert not torch.equal(
        RandomWindows([clip(50), clip(9)], 4, seed=4, repeats=5).fetch(range(10), epoch=2).x[..., 0], x
    )


def test_every_start_is_drawn_and_about_equally_often() -> None:
    windows = RandomWindows([clip(6)], 4, repeats=3000)
    starts = windows.fetch(range(3000)).x[:, 0, 0].long().bincount(minlength=3)
    assert len(starts) == 3
    assert (starts - 1000).abs().max() < 120


def test_spread_steps_keep_their_order_and_do_not_repeat() -> None:
    x = RandomWindows([clip(12)], 5, pick="spread", repeats=200).fetch(range(200)).x[..., 0]
    assert bool((x[:, 1:] > x[:, :-1]).all())
    assert set(x.flatten().long().tolist()) == set(range(12))


def test_bytes_become_the_unit_interval() -> None:
    frames = torch.tensor([[0], [51], [255]], dtype=torch.uint8)
    for windows in (RandomWindows([Clip(frames, "b")], 3), sliding_windows([Clip(frames, "b")], 3)):
        torch.testing.assert_close(windows.fetch([0]).x.flatten(), torch.tensor([0.0, 0.2, 1.0]))


def test_what_cannot_be_cut_is_refused() -> None:
    broken = Clip(torch.tensor([[0.0], [torch.inf], [1.0]]), "broken.wav")
    for make in (lambda clips: sliding_windows(clips, 3), lambda clips: RandomWindows(clips, 3)):
        with pytest.raises(InputError, match="at least one recording; got none"):
            make([])
        with pytest.raises(InputError, match="tiny: has 2 steps; at least 3 are needed"):
            make([clip(2, "tiny")])
        with pytest.raises(
            InputError, match=r"broken\.wav: 1 of 3 values are NaN or Inf, the first at index \(1, 0\)"
        ):
            make([broken])
