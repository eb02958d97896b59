"""Measure a trained run on held-out recordings, and let a person see and hear a few swaps.

python evaluate.py runs/arabic_speech --data FOLDER --out results/arabic_speech.json

Beside the numbers it leaves swap.png and wavs in RUN/evaluation: sources, reconstructions, and both
swaps of three pairs of recordings.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys
import time
from pathlib import Path

from seqdis.core.analysis import encode_dataset, fixed_pairs, probe_factors, swap_pairs
from seqdis.core.cli.output import progress_bar
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset, get_modality
from seqdis.core.results import ResultRecord, device_name, installed_versions
from seqdis.eval.engine.reconstruction_error import reconstruction_mse

PAIRS = 3


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, metavar="RUN", help="what train.py left")
    parser.add_argument(
        "--data", type=Path, help="the dataset's folder; $SEQDIS_DATA/arabic_speech_commands by default"
    )
    parser.add_argument("--out", type=Path, default=Path("results/arabic_speech.json"))
    parser.add_argument("--name", help="of the result; the preset's by default")
    parser.add_argument("--device", default="cpu")
    args = parser.parse_args()

    started = time.perf_counter()
    model = Disentangler.from_pretrained(args.run, device=args.device, modality="audio")
    config = model.run_config
    train_set, test_set = (
        build_dataset("audio", config.data, split, root=args.data, seed=config.train.seed)
        for split in ("train", "test")
    )

    # What a linear classifier reads from each factor: the speaker should be in s alone, the word in d alone.
    metrics = probe_factors(
        encode_dataset(model, train_set),
        train_set.all_labels(),
        encode_dataset(model, test_set),
        test_set.all_labels(),
    )
    with progress_bar("reconstructing") as progress:
        metrics["reconstruction_mse"] = reconstruction_mse(model, train_set, test_set, progress=progress)
    show_swaps(model, test_set, args.run / "evaluation")

    trained = json.loads((args.run / "run.json").read_text())
    ResultRecord(
        name=args.name or config.preset,
        method=config.method,
        dataset=config.data.dataset,
        modality=config.modality,
        command=" && ".join([trained["command"], shlex.join(["python", "evaluate.py", *sys.argv[1:]])]),
        seed=config.train.seed,
        device=device_name(model.device),
        wall_seconds=round(trained["seconds"] + time.perf_counter() - started, 1),
        versions=installed_versions(),
        metrics=metrics,
    ).save(args.out)
    for name, metric in metrics.items():
        chance = "" if metric.chance is None else f"   chance {metric.chance:8.4f}"
        print(f"{name:32} {metric.value:8.4f}{chance}")
    print(f"written: {args.out}, {args.run / 'evaluation'}")


def show_swaps(model: Disentangler, test_set: SequenceDataset, folder: Path) -> None:
    config, modality = model.run_config, get_modality("audio")
    first, second = zip(*fixed_pairs(len(test_set), count=PAIRS), strict=True)
    result = swap_pairs(
        model, test_set.fetch(first).to(model.device), test_set.fetch(second).to(model.device)
    )
    folder.mkdir(parents=True, exist_ok=True)
    modality.draw(folder / "swap.png", result.grid(), config.data)
    for name, clips in result.named().items():
        for number, frames in enumerate(clips, start=1):
            modality.write(folder / f"{number}_{name}.wav", frames, config.data)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
