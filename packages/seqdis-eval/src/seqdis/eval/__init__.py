"""Evaluation for seqdis: judges, swap scores, reconstruction error and the results page.

The public names are imported when first used: ``seqdis --help`` must not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.eval.judge_training import judge_for, measure_judge, train_judge
    from seqdis.eval.judges import Judge, SequenceJudge
    from seqdis.eval.reconstruction import reconstruction_mse
    from seqdis.eval.scoring import score_swaps

__all__ = [
    "Judge",
    "SequenceJudge",
    "judge_for",
    "measure_judge",
    "reconstruction_mse",
    "score_swaps",
    "train_judge",
]

_HOMES = {
    "judge_training": ["judge_for", "measure_judge", "train_judge"],
    "judges": ["Judge", "SequenceJudge"],
    "reconstruction": ["reconstruction_mse"],
    "scoring": ["score_swaps"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
