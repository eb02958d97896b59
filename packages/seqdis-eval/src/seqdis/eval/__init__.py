"""Evaluation for seqdis: judges, swap scores, reconstruction error and the results page.

The public names are imported when first used: ``seqdis --help`` must not wait for torch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.eval.cli.evaluation_script import evaluation_script
    from seqdis.eval.cli.records import save_result
    from seqdis.eval.cli.runs import open_run
    from seqdis.eval.engine.open_run import OpenRun
    from seqdis.eval.engine.reconstruction_error import measure_reconstruction, reconstruction_mse
    from seqdis.eval.judge.interface import Judge
    from seqdis.eval.judge.judge_cache import judge_for
    from seqdis.eval.judge.judge_training import measure_judge, train_judge
    from seqdis.eval.judge.sequence_judge import SequenceJudge
    from seqdis.eval.protocols.scoring import score_swaps

__all__ = [
    "Judge",
    "OpenRun",
    "SequenceJudge",
    "evaluation_script",
    "judge_for",
    "measure_judge",
    "measure_reconstruction",
    "open_run",
    "reconstruction_mse",
    "save_result",
    "score_swaps",
    "train_judge",
]

_HOMES = {
    "cli.evaluation_script": ["evaluation_script"],
    "cli.records": ["save_result"],
    "cli.runs": ["open_run"],
    "engine.open_run": ["OpenRun"],
    "judge.judge_cache": ["judge_for"],
    "judge.judge_training": ["measure_judge", "train_judge"],
    "judge.interface": ["Judge"],
    "judge.sequence_judge": ["SequenceJudge"],
    "engine.reconstruction_error": ["measure_reconstruction", "reconstruction_mse"],
    "protocols.scoring": ["score_swaps"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
