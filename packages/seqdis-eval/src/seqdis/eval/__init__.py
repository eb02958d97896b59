"""Evaluation for seqdis: judges, swap scores, reconstruction error and the results page.

The public names are imported when first used: ``seqdis --help`` must not wait for torch.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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
_HOME_OF = {name: f"seqdis.eval.{module}" for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'seqdis.eval' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
