"""Measure a trained run on recordings that it never saw, and let a person see a few swaps.

python evaluate.py runs/mocap --data FOLDER --out results/mocap.json

It leaves swap.png, swap.gif and bvh files of two pairs of clips in RUN/evaluation.
"""

from seqdis.core.analysis import probe_splits
from seqdis.core.cli.output import progress_bar
from seqdis.core.metric import Metrics
from seqdis.core.swap_files import write_swaps
from seqdis.eval import OpenRun, evaluation_script, measure_reconstruction

PAIRS = (("09_04", "07_04"), ("06_08", "05_04"))  # a run with a walk, basketball with a dance


def measure(run: OpenRun) -> Metrics:
    """Probes of both factors, then what the swaps or reconstructions of held-out clips are like."""
    # What a linear classifier reads from each factor: the person should be in s, the motion in d.
    metrics = probe_splits(run.model, run.train_set, run.test_set)
    with progress_bar("reconstructing") as bar:
        metrics |= measure_reconstruction(run.model, run.train_set, run.test_set, progress=bar)
    recordings = [key.partition("@")[0] for key in run.test_set.fetch(range(len(run.test_set))).keys]
    pairs = [tuple(map(recordings.index, pair)) for pair in PAIRS]
    write_swaps(run.model, run.test_set, pairs, run.folder / "evaluation", media=2)
    return metrics


if __name__ == "__main__":
    headline = ("probe_subject_from_static", "probe_theme_from_dynamic", "reconstruction_mse")
    evaluation_script(measure, modality="mocap", out="results/mocap.json", headline=headline)
