"""Measure a trained run on characters it never saw, and let a person see a few swaps.

python evaluate.py runs/sprites --data FOLDER --out results/sprites.json

With --pairs N, so many clips are swapped and judged, none for 0. It leaves swap.png and swap.gif in RUN/evaluation.
"""

from seqdis.core.analysis import fixed_pairs, probe_splits
from seqdis.core.cli.output import progress_bar
from seqdis.core.metric import Metrics
from seqdis.core.swap_files import write_swaps
from seqdis.eval import OpenRun, evaluation_script, score_swaps


def measure(run: OpenRun, *, pairs: int | None = None) -> Metrics:
    """Probes of both factors, then what the swaps or reconstructions of held-out clips are like."""
    # What a linear classifier reads from each factor: clothes should be in s alone, the action in d alone.
    metrics = probe_splits(run.model, run.train_set, run.test_set)
    if pairs != 0:  # what a judge, trained on real clips and kept for the next time, sees in swaps
        how = {"seed": run.config.train.seed, "judge_path": run.folder / "judge.safetensors"}
        with progress_bar("scoring") as bar:
            metrics |= score_swaps(run.model, run.train_set, run.test_set, pairs=pairs, **how, progress=bar)
    write_swaps(run.model, run.test_set, fixed_pairs(len(run.test_set), count=3), run.folder / "evaluation")
    return metrics


if __name__ == "__main__":
    headline = ("swap_joint_accuracy", "swap_static_accuracy", "swap_dynamic_accuracy")
    evaluation_script(measure, modality="video", out="results/sprites.json", headline=headline)
