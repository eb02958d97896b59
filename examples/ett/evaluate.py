"""Measure a trained run on months that it never saw, and let a person see a few swaps.

python evaluate.py runs/ett --data FOLDER --out results/ett.json

It leaves swap.png and csv files of three pairs of windows in RUN/evaluation.
"""

from pathlib import Path

from seqdis.core.analysis import fixed_pairs, probe_splits
from seqdis.core.cli.options import Data, Device, RunFolder
from seqdis.core.cli.output import progress_bar
from seqdis.core.cli.script import run_script, script_command
from seqdis.core.data.subset import Subset
from seqdis.core.swap_files import write_swaps
from seqdis.eval import measure_reconstruction, open_run, save_result


def main(
    run: RunFolder,
    data: Data = None,
    out: Path = Path("results/ett.json"),
    name: str | None = None,
    device: Device = "cpu",
) -> None:
    opened = open_run(run, data=data, device=device, modality="timeseries")
    model, train_set, test_set = opened.model, opened.train_set, opened.test_set
    # What a linear classifier reads from each factor: the season should be in s, the course in d.
    metrics = probe_splits(model, train_set, test_set)
    # Windows a day apart share nearly all hours: one a week says the same in a seventh of the time.
    weekly = Subset(test_set, range(0, len(test_set), 7))
    with progress_bar("reconstructing") as bar:
        metrics |= measure_reconstruction(model, train_set, weekly, progress=bar)
    write_swaps(model, test_set, fixed_pairs(len(test_set), count=3), run / "evaluation", media=3)
    headline = ("probe_season_from_static", "probe_weekday_from_dynamic", "reconstruction_mse")
    save_result(opened, metrics, out, name=name, command=script_command(), headline=headline)


if __name__ == "__main__":
    run_script(main)
