"""What a process keeps, and what it lets go."""

from __future__ import annotations

import torch

from seqdis.audio.frame_cache import FrameCache


def test_the_least_recently_used_goes_first() -> None:
    cache, made = FrameCache(3 * 400), list[str]()

    def ask(name: str) -> float:
        def compute() -> torch.Tensor:
            made.append(name)
            return torch.full((100,), float(ord(name)))

        return float(cache.get_or_compute(name, compute)[0])

    assert [ask(name) for name in "abcabc"] == [97, 98, 99, 97, 98, 99]
    assert made == ["a", "b", "c"]
    ask("a")
    ask("d")  # b is the one that was asked for longest ago
    assert cache.get("b") is None
    assert all(cache.get(name) is not None for name in "acd")
    assert (len(cache), cache.held) == (3, 1200)
    assert cache.has_room(0)
    assert not cache.has_room(1)


def test_the_newest_stays_though_it_is_too_large() -> None:
    cache = FrameCache(1000)
    cache.get_or_compute("small", lambda: torch.zeros(100))
    cache.get_or_compute("large", lambda: torch.zeros(1000))
    assert cache.get("small") is None
    assert cache.get("large") is not None
    assert cache.held == 4000
    cache.get_or_compute("small", lambda: torch.zeros(100))
    assert (len(cache), cache.held) == (1, 400)
    cache.clear()
    assert (len(cache), cache.held) == (0, 0)
