from __future__ import annotations

from collections import Counter
from typing import Literal

import pytest
import torch

from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.errors import InputError


def clip(steps: int, key: str = "clip", **rest) -> Clip:
    return Clip(torch.arange(steps, dtype=torch.float32)[:, None], key, **rest)


def test_a_gap_in_one_recording_is_kept_and_the_others_are_whole() -> None:
    seen = torch.tensor([True, False, True])[:, None]
    clips = [clip(3, "gap", observed=seen), clip(3, "whole")]
    for windows in (SlidingWindows(clips, 3), RandomWindows(clips, 3)):
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
    for windows in (RandomWindows([Clip(frames, "b")], 3), SlidingWindows([Clip(frames, "b")], 3)):
        torch.testing.assert_close(windows.fetch([0]).x.flatten(), torch.tensor([0.0, 0.2, 1.0]))


def test_an_epoch_has_as_many_views_as_windows_fit_side_by_side() -> None:
    windows = RandomWindows([clip(50, "long"), clip(2, "short"), clip(9, "middle")], 4, labels={})
    assert len(windows) == 12 + 1 + 2
    keys = Counter(windows.fetch(range(len(windows))).keys)
    assert keys == {"long": 12, "short": 1, "middle": 2}
    assert len({tuple(row) for row in windows.fetch(range(12)).x[..., 0].tolist()}) > 6


@pytest.mark.parametrize("pick", ["window", "spread"])
def test_a_shorter_recording_is_padded_and_masked(pick: Literal["window", "spread"]) -> None:
    batch = RandomWindows([clip(2, "short"), clip(9)], 4, pick=pick, repeats=1).fetch([0, 1])
    assert batch.mask is not None
    assert batch.mask.tolist() == [[True, True, False, False], [True] * 4]
    assert batch.x[0, :, 0].tolist() == [0, 1, 0, 0]


def test_labels_of_all_views_are_known_without_reading_them() -> None:
    clips = [clip(8, labels={"who": "b"}), clip(4, labels={"who": "a"})]
    windows = RandomWindows(clips, 4, labels={"who": Label(("a", "b"), "static")})
    assert windows.all_labels()["who"].tolist() == windows.fetch(range(3)).labels["who"].tolist() == [1, 1, 0]


def test_what_cannot_be_cut_is_refused() -> None:
    broken = Clip(torch.tensor([[0.0], [torch.inf], [1.0]]), "broken.wav")
    for make in (lambda clips: SlidingWindows(clips, 3), lambda clips: RandomWindows(clips, 3)):
        with pytest.raises(InputError, match="at least one recording; got none"):
            make([])
        with pytest.raises(
            InputError, match=r"broken\.wav: 1 of 3 values are NaN or Inf, the first at index \(1, 0\)"
        ):
            make([broken])
