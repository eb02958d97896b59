"""The exception that is raised for the user's input, and helpers that build its message.

Every message names the thing, what was received, and what is allowed, on one line; the
command line prints it as it is and exits with code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["InputError", "TrainingInterrupted", "TrainingTerminated", "unknown_name"]


class InputError(ValueError):
    """Something given by the user (a file, a key, a shape, a checkpoint) cannot be used."""


class TrainingInterrupted(KeyboardInterrupt):
    """Ctrl-C has ended a training, after a checkpoint; the message says how to go on."""


class TrainingTerminated(SystemExit):
    """SIGTERM has ended a training, after a checkpoint; the process ends with code 143 (128 + SIGTERM).

    Args:
        message: The way to go on, in one line.
    """

    def __init__(self, message: str) -> None:
        super().__init__(143)
        self.message = message


def unknown_name(kind: str, given: str, allowed: Iterable[str]) -> InputError:
    """Build the error for a name that is not in a closed list, with the nearest spelling.

    Args:
        kind: The kind of thing that the name stands for (``"preset"``).
        given: The name that was given.
        allowed: Every name that would have been accepted.
    """
    names = sorted(allowed)
    near = difflib.get_close_matches(given, names, n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    listed = ", ".join(names) if names else "none is installed"
    return InputError(f"unknown {kind} {given!r}{hint}; allowed: {listed}")
