"""Measure a trained run on months that it never saw, and let a person see a few swaps.

python evaluate.py runs/ett --data FOLDER --out results/ett.json

It leaves swap.png and csv files of three pairs of windows in RUN/evaluation.
"""

from seqdis.core.analysis import fixed_pairs, probe_splits
from seqdis.core.cli.output import progress_bar
from seqdis.core.data.subset import Subset
from seqdis.core.metric import Metrics
from seqdis.core.swap_files import write_swaps
from seqdis.eval import OpenRun, evaluation_script, measure_reconstruction


def measure(run: OpenRun) -> Metrics:
    """Probes of both factors, then what the swaps or reconstructions of held-out windows are like."""
    # What a linear classifier reads from each factor: the season should be in s, the course in d.
    metrics = probe_splits(run.model, run.train_set, run.test_set)
    # Windows a day apart share nearly all hours: one a week says the same in a seventh of the time.
    weekly = Subset(run.test_set, range(0, len(run.test_set), 7))
    with progress_bar("reconstructing") as bar:
        metrics |= measure_reconstruction(run.model, run.train_set, weekly, progress=bar)
    write_swaps(
        run.model, run.test_set, fixed_pairs(len(run.test_set), count=3), run.folder / "evaluation", media=3
    )
    return metrics


if __name__ == "__main__":
    headline = ("probe_season_from_static", "probe_weekday_from_dynamic", "reconstruction_mse")
    evaluation_script(measure, modality="timeseries", out="results/ett.json", headline=headline)
