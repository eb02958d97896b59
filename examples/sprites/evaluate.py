"""Measure a trained run on characters it never saw, and let a person see a few swaps.

python evaluate.py runs/sprites --data FOLDER --out results/sprites.json

With --pairs N, so many clips are swapped and judged, none for 0. It leaves swap.png and swap.gif in RUN/evaluation.
"""

from pathlib import Path

from seqdis.core.analysis import fixed_pairs, probe_splits
from seqdis.core.cli.options import Data, Device, RunFolder
from seqdis.core.cli.output import progress_bar
from seqdis.core.cli.script import run_script, script_command
from seqdis.core.swap_files import write_swaps
from seqdis.eval import open_run, save_result, score_swaps


def main(
    run: RunFolder,
    data: Data = None,
    out: Path = Path("results/sprites.json"),
    name: str | None = None,
    device: Device = "cpu",
    pairs: int | None = None,
) -> None:
    opened = open_run(run, data=data, device=device, modality="video")
    model, train_set, test_set = opened.model, opened.train_set, opened.test_set
    # What a linear classifier reads from each factor: clothes should be in s alone, the action in d alone.
    metrics = probe_splits(model, train_set, test_set)
    if pairs != 0:  # what a judge, trained on real clips and kept for the next time, sees in swaps
        how = {"seed": opened.config.train.seed, "judge_path": run / "judge.safetensors"}
        with progress_bar("scoring") as bar:
            metrics = score_swaps(model, train_set, test_set, pairs=pairs, **how, progress=bar) | metrics
    write_swaps(model, test_set, fixed_pairs(len(test_set), count=3), run / "evaluation")
    headline = ("swap_joint_accuracy", "swap_static_accuracy", "swap_dynamic_accuracy")
    save_result(opened, metrics, out, name=name, command=script_command(), headline=headline)


if __name__ == "__main__":
    run_script(main)
