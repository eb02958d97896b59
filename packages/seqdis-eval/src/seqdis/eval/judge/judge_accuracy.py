"""Accuracy of a judge, and the note beside figures by one that cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seqdis.core.analysis import wilson
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate

__all__ = ["MIN_JUDGE_ACCURACY", "JudgeAccuracy", "low_accuracy_note"]


@dataclass(frozen=True)
class JudgeAccuracy:
    """Accuracy of a judge, measured on real clips that it did not learn from.

    Attributes:
        joint: Share of the clips with all labels right.
        labels: Share of the clips with this label right.
        n: Number of clips.

    Raises:
        InputError: A share is none, or there is no clip.
    """

    joint: float
    labels: Mapping[str, float]
    n: int

    def __post_init__(self) -> None:
        for share in (self.joint, *self.labels.values()):
            if not 0 <= share <= 1:
                raise InputError(f"accuracy of a judge: got {share}; allowed: 0 to 1")
        if not isinstance(self.n, int) or self.n < 1:
            raise InputError(f"accuracy of a judge on {self.n} clips; allowed: 1 or more")

    def estimate(self, *, chance: float | None = None) -> Estimate:
        """``joint`` with Wilson's interval, and what a constant would get where that is known."""
        interval = wilson(round(self.joint * self.n), self.n)
        return Estimate(value=self.joint, unit="share", chance=chance, ci95=interval, n=self.n)


MIN_JUDGE_ACCURACY = 0.99
"""The share of real test clips from which on a judge is trusted; figures by another one are marked as such."""


def low_accuracy_note(accuracy: Estimate | None) -> str | None:
    """A note on figures by a judge of low accuracy; None where its accuracy suffices, or there is no judge.

    Args:
        accuracy: ``judge_accuracy``, on real test clips.
    """
    if accuracy is None or accuracy.value >= MIN_JUDGE_ACCURACY:
        return None
    return (
        f"the judge gets {accuracy.value:.1%} of real test clips right; below {MIN_JUDGE_ACCURACY:.0%} its figures say as much "
        "of it as of the model"
    )
