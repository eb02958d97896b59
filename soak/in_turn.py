"""Many small things done one after another in a forked process, of which any may fail or end it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from soak.children import start

__all__ = ["done_in_turn"]


def done_in_turn(count: int, action: Callable[[int], object], place: Path, *, seconds: float) -> set[int]:
    """The numbers below ``count`` whose action returned; one that ends the process or takes too long costs itself alone.

    Args:
        count: Number of actions.
        action: Function that does the one of a number.
        place: Folder for notes and output.
        seconds: Time that a process may take for all that is left.
    """
    begun, finished = place / "begun.txt", place / "finished.txt"
    finished.write_text("", encoding="ascii")
    first = 0
    while first < count:

        def work(first: int = first) -> int:
            for number in range(first, count):
                begun.write_text(str(number), encoding="ascii")
                try:
                    action(number)
                except Exception:  # it is not among those that are done
                    continue
                with finished.open("a", encoding="ascii") as file:
                    file.write(f"{number}\n")
            return 0

        ended = start(work, place / "output.txt").wait(seconds)
        first = count if ended.code == 0 else int(begun.read_text(encoding="ascii")) + 1
    return {int(line) for line in finished.read_text(encoding="ascii").split()}
