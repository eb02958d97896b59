"""The rule for the noise that a swap starts from."""

from __future__ import annotations

from typing import Literal, get_args

from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["NOISE_CHOICES", "NoiseChoice", "ReconstructionNoise", "choose_noise"]

NoiseChoice = Literal["dynamic", "static", "fresh"]
ReconstructionNoise = Literal["inverted", "fresh"]
"""The start of a reconstruction: the noise that its source inverts to, which carries what the factors lack, or a draw."""
NOISE_CHOICES: tuple[NoiseChoice, ...] = get_args(NoiseChoice)


def choose_noise(choice: NoiseChoice, *, static: Tensor | None, dynamic: Tensor | None) -> Tensor | None:
    """The noise that a mixture of two sequences is decoded from.

    ``"dynamic"``: the inverted noise of the sequence whose dynamics are used (DiffSDA, App. B.4). ``"static"``: that
    of the sequence whose static factor is used. ``"fresh"``: a new draw, so that the result shows the factors and
    nothing else. A method that does not invert has no noise of either sequence, and always starts from a fresh draw.

    Args:
        choice: One of the three names.
        static: Inverted noise of the sequence whose static factor is used; None where there is none.
        dynamic: Inverted noise of the sequence whose dynamics are used; None where there is none.

    Returns:
        One of the two, or None for a fresh draw.

    Raises:
        InputError: The choice is unknown.
    """
    if choice not in NOISE_CHOICES:
        raise InputError(f"noise {choice!r}; allowed: {', '.join(NOISE_CHOICES)}")
    return {"dynamic": dynamic, "static": static, "fresh": None}[choice]
