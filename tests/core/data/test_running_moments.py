from __future__ import annotations

import torch

from seqdis.core.data.running_moments import RunningMoments


def test_parts_joined_in_any_grouping_are_the_whole() -> None:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(37, 3, 5, generator=g) * torch.tensor([1.0, 30.0, 0.1])[:, None] + 1e3
    whole = RunningMoments.of(x, [0, 2])
    torch.testing.assert_close(whole.mean.flatten(), x.double().mean((0, 2)))
    torch.testing.assert_close(whole.std.flatten(), x.double().std((0, 2), correction=0))
    for size in (1, 4, 36):
        joined = RunningMoments.none((3, 1))
        for part in x.split(size):
            joined = joined.joined(RunningMoments.of(part, [0, 2]))
        torch.testing.assert_close(joined.mean, whole.mean)
        torch.testing.assert_close(joined.squares, whole.squares)
        assert torch.equal(joined.count, whole.count)


def test_what_does_not_count_may_be_anything() -> None:
    x = torch.tensor([[1.0, float("nan")], [3.0, 5.0]])
    moments = RunningMoments.of(x, [0], torch.tensor([[1, 0], [1, 1]]))
    assert moments.mean.tolist() == [2.0, 5.0]
    assert moments.std.tolist() == [1.0, 0.0]


def test_nothing_seen_has_no_deviation() -> None:
    assert RunningMoments.none((2,)).std.tolist() == [0.0, 0.0]
