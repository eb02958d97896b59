"""Measure a trained run on recordings that it never saw, and let a person see a few swaps.

python evaluate.py runs/mocap --data FOLDER --out results/mocap.json

It leaves swap.png, swap.gif and bvh files of two pairs of clips in RUN/evaluation.
"""

from pathlib import Path

from seqdis.core.analysis import probe_splits
from seqdis.core.cli.options import Data, Device, RunFolder
from seqdis.core.cli.output import progress_bar
from seqdis.core.cli.script import run_script, script_command
from seqdis.core.swap_files import write_swaps
from seqdis.eval import measure_reconstruction, open_run, save_result

PAIRS = (("09_04", "07_04"), ("06_08", "05_04"))  # a run with a walk, basketball with a dance


def main(
    run: RunFolder,
    data: Data = None,
    out: Path = Path("results/mocap.json"),
    name: str | None = None,
    device: Device = "cpu",
) -> None:
    opened = open_run(run, data=data, device=device, modality="mocap")
    model, train_set, test_set = opened.model, opened.train_set, opened.test_set
    metrics = probe_splits(model, train_set, test_set)  # linear: s should tell the person, d the motion
    with progress_bar("reconstructing") as bar:
        metrics |= measure_reconstruction(model, train_set, test_set, progress=bar)
    recordings = [key.partition("@")[0] for key in test_set.fetch(range(len(test_set))).keys]
    pairs = [tuple(map(recordings.index, pair)) for pair in PAIRS]
    write_swaps(model, test_set, pairs, run / "evaluation", media=2)
    headline = ("probe_subject_from_static", "probe_theme_from_dynamic", "reconstruction_mse")
    save_result(opened, metrics, out, name=name, command=script_command(), headline=headline)


if __name__ == "__main__":
    run_script(main)
