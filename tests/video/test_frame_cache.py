"""The cache of decoded frames: bounded, and the last used stay."""

from __future__ import annotations

import torch

from seqdis.video.frame_cache import FrameCache

FRAME = torch.zeros(3, 32, 32, dtype=torch.uint8)
BYTES = FRAME.nbytes + 1024


def test_the_frames_used_last_stay() -> None:
    cache = FrameCache(3 * BYTES)
    for name in "abc":
        cache.put(name, FRAME)
    assert cache.get("a") is FRAME
    cache.put("d", FRAME)
    assert cache.get("b") is None
    assert all(cache.get(name) is FRAME for name in "acd")


def test_a_frame_that_is_put_twice_counts_once() -> None:
    cache = FrameCache(2 * BYTES)
    for _ in range(5):
        cache.put("a", FRAME)
    cache.put("b", FRAME)
    assert cache.get("a") is FRAME
    cache.clear()
    assert cache.get("a") is None


def test_a_frame_larger_than_the_cache_is_not_kept() -> None:
    cache = FrameCache(10)
    cache.put("a", FRAME)
    assert cache.get("a") is None


def test_it_knows_whether_all_that_may_come_fits() -> None:
    cache = FrameCache(10 * BYTES)
    assert cache.holds_all
    for _ in range(3):
        cache.announce("one", 6, FRAME.nbytes)
    assert cache.holds_all
    cache.announce("two", 6, FRAME.nbytes)
    assert not cache.holds_all
    cache.clear()
    assert cache.holds_all
