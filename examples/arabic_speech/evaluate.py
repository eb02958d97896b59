"""Measure a trained run on held-out recordings, and let a person see and hear a few swaps.

python evaluate.py runs/arabic_speech --data FOLDER --out results/arabic_speech.json

Beside the numbers it leaves swap.png and wavs in RUN/evaluation: sources, reconstructions, and both
swaps of three pairs of recordings.
"""

from seqdis.core.analysis import fixed_pairs, probe_splits
from seqdis.core.cli.output import progress_bar
from seqdis.core.metric import Metrics
from seqdis.core.swap_files import write_swaps
from seqdis.eval import OpenRun, evaluation_script, measure_reconstruction


def measure(run: OpenRun) -> Metrics:
    """Probes of both factors, then what the swaps or reconstructions of held-out recordings are like."""
    # What a linear classifier reads from each factor: the speaker should be in s alone, the word in d alone.
    metrics = probe_splits(run.model, run.train_set, run.test_set)
    with progress_bar("reconstructing") as bar:
        metrics |= measure_reconstruction(run.model, run.train_set, run.test_set, progress=bar)
    write_swaps(
        run.model, run.test_set, fixed_pairs(len(run.test_set), count=3), run.folder / "evaluation", media=3
    )
    return metrics


if __name__ == "__main__":
    headline = ("probe_speaker_from_static", "probe_word_from_dynamic", "reconstruction_mse")
    evaluation_script(measure, modality="audio", out="results/arabic_speech.json", headline=headline)
