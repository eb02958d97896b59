"""EER over all pairs of utterances against a loop over pairs in Python.

    python benchmarks/eer.py --json eer.json

The loop is timed on a part of the pairs and its time scaled to all; the memory is what the process needed at most
for all of ours, less what it had before.
"""

from __future__ import annotations

import argparse
import itertools
import math
import resource
from functools import partial
from pathlib import Path

import torch
from timing.turns import seconds_in_turns

from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.eval.metrics.eer import speaker_eer


def similarities_in_a_loop(embeddings: torch.Tensor, pairs: int) -> list[float]:
    """The first cosine similarities, pair by pair, as published evaluation code takes them."""
    vectors = embeddings.numpy()
    norms = [math.sqrt(float((v * v).sum())) for v in vectors]
    chosen = itertools.islice(itertools.combinations(range(len(vectors)), 2), pairs)
    return [float((vectors[i] * vectors[j]).sum()) / (norms[i] * norms[j]) for i, j in chosen]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--utterances", type=int, default=5000)
    parser.add_argument("--width", type=int, default=32, help="of an embedding")
    parser.add_argument("--repeats", type=int, default=3, help="of both; the fastest of each counts")
    parser.add_argument("--device", help="taken for the sake of `nox -s bench`: the CPU does it all")
    options = parser.parse_args()
    g = torch.Generator().manual_seed(0)
    speakers = torch.randint(options.utterances // 20, (options.utterances,), generator=g)
    centres = torch.randn(int(speakers.max()) + 1, options.width, generator=g)
    embeddings = centres[speakers] + torch.randn(options.utterances, options.width, generator=g)
    pairs = options.utterances * (options.utterances - 1) // 2
    timed = min(pairs, 200_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    metric = speaker_eer(embeddings, speakers)
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20  # Linux counts in KiB
    taken = seconds_in_turns(
        {
            "ours": partial(speaker_eer, embeddings, speakers),
            "loop": partial(similarities_in_a_loop, embeddings, timed),
        },
        turns=options.repeats,
    )
    ours, peer = min(taken["ours"]), min(taken["loop"]) * pairs / timed
    case = f"{options.utterances} utterances, {pairs} pairs"
    rows = [
        BenchmarkRow(
            case=f"{case}, against a Python loop", unit="pairs_per_s", ours=pairs / ours, peer=pairs / peer
        ),
        BenchmarkRow(case=f"{case}, memory at most", unit="gib", ours=memory),
    ]
    print(f"EER {metric.value:.4f}; {rows[0].ratio:.0f} times as many pairs a second; {memory:.2f} GiB")
    if options.json:
        benchmark_record(rows, device=device_name("cpu")).save(options.json)


if __name__ == "__main__":
    main()
