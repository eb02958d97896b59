"""Evaluation for seqdis: judges, swap scores, reconstruction error and the results page."""

from __future__ import annotations

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
