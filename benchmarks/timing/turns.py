"""Operations side by side, timed by torch.utils.benchmark."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch.utils.benchmark import Timer


def seconds_in_turns(
    runs: Mapping[str, Callable[[], object]], *, turns: int, min_seconds: float = 0.01
) -> dict[str, list[float]]:
    """Seconds of one run of each operation, a figure a turn.

    They take turns, so that a busy machine slows all of them alike; the first turn warms up and compiles, and does
    not count. ``Timer.blocked_autorange`` waits for the device, and takes as many runs in a row as the clock needs:
    on a GPU their queue hides the time of launching.

    Args:
        runs: By name; each takes as many threads as torch has.
        turns: That count.
        min_seconds: Of each operation and turn.
    """
    threads = torch.get_num_threads()
    timers = {name: Timer("run()", globals={"run": run}, num_threads=threads) for name, run in runs.items()}
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(turns + 1):
        for name, timer in timers.items():
            measured = timer.blocked_autorange(min_run_time=min_seconds)
            if turn:
                taken[name].append(measured.median)
    return taken
