"""Measure a trained run on held-out recordings, and let a person see and hear a few swaps.

python evaluate.py runs/arabic_speech --data FOLDER --out results/arabic_speech.json

Beside the numbers it leaves swap.png and wavs in RUN/evaluation: sources, reconstructions, and both
swaps of three pairs of recordings.
"""

from pathlib import Path

from seqdis.core.analysis import fixed_pairs, probe_splits
from seqdis.core.cli.options import Data, Device, RunFolder
from seqdis.core.cli.output import progress_bar
from seqdis.core.cli.script import run_script, script_command
from seqdis.core.swap_files import write_swaps
from seqdis.eval import measure_reconstruction, open_run, save_result


def main(
    run: RunFolder,
    data: Data = None,
    out: Path = Path("results/arabic_speech.json"),
    name: str | None = None,
    device: Device = "cpu",
) -> None:
    opened = open_run(run, data=data, device=device, modality="audio")
    model, train_set, test_set = opened.model, opened.train_set, opened.test_set
    # What a linear classifier reads from each factor: the speaker should be in s alone, the word in d alone.
    metrics = probe_splits(model, train_set, test_set)
    with progress_bar("reconstructing") as bar:
        metrics |= measure_reconstruction(model, train_set, test_set, progress=bar)
    write_swaps(model, test_set, fixed_pairs(len(test_set), count=3), run / "evaluation", media=3)
    headline = ("probe_speaker_from_static", "probe_word_from_dynamic", "reconstruction_mse")
    save_result(opened, metrics, out, name=name, command=script_command(), headline=headline)


if __name__ == "__main__":
    run_script(main)
