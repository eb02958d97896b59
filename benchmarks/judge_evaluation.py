"""A judge's evaluation of a whole test split against the time that its networks alone take.

    python benchmarks/judge_evaluation.py --json judge_evaluation.json

The clips are random, of the size, number and labels of Sprites at 32x32, and no network is trained: their values
do not matter to the time. What is not spent in the model and the judge is bookkeeping: batches, pairs, labels, metrics
and their intervals.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.eval.judge.sequence_judge import SequenceJudge
from seqdis.eval.protocols.scoring import score_swaps

LABELS = {
    **{name: Label(tuple("abcdef"), "static") for name in ("skin", "pants", "top", "hair")},
    "action": Label(tuple("abcdefghi"), "dynamic"),
}


class Stopwatch:
    """Seconds inside the functions that it wraps; what one of them calls of another counts once."""

    def __init__(self) -> None:
        self.seconds, self._depth = 0.0, 0

    def wrap(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*given: Any, **options: Any) -> Any:
            began = time.perf_counter()
            self._depth += 1
            try:
                return function(*given, **options)
            finally:
                self._depth -= 1
                if not self._depth:
                    self.seconds += time.perf_counter() - began

        return timed


def clips(count: int, shape: tuple[int, ...], generator: torch.Generator) -> ArraySequences:
    label_values = {
        name: torch.randint(len(label.classes), (count,), generator=generator)
        for name, label in LABELS.items()
    }
    return ArraySequences(
        torch.rand(count, *shape, generator=generator), labels=LABELS, label_values=label_values
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--clips", type=int, default=2664, help="of the test split; Sprites has 296 x 9")
    parser.add_argument("--preset", default="s3vae-sprites32", help="a cheap decoder is the harder case")
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    config, g = get_preset(options.preset), torch.Generator().manual_seed(0)
    shape = (config.data.length, *config.data.frame_shape)
    train, test = clips(64, shape, g), clips(options.clips, shape, g)
    model = build_model(config).eval().to(options.device)
    judge = SequenceJudge(labels=LABELS, frame_shape=shape[1:]).eval().to(options.device)
    watch = Stopwatch()
    for owner, names in ((model, ("encode", "decode", "swap", "invert")), (judge, ("predict",))):
        for name in names:
            setattr(owner, name, watch.wrap(getattr(owner, name)))
    began = time.perf_counter()
    score_swaps(model, train, test, judge=judge)
    whole = time.perf_counter() - began
    row = BenchmarkRow(
        case=f"{options.preset}, {options.clips} swaps and reconstructions, against the networks alone",
        unit="clips_per_s",
        ours=options.clips / whole,
        peer=options.clips / watch.seconds,
    )
    print(f"{options.clips} clips: {row.ratio:.1%} of the time is the networks'")
    if options.json:
        benchmark_record([row], device=device_name(options.device)).save(options.json)


if __name__ == "__main__":
    main()
