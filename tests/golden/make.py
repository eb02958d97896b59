"""Recorded what the library computed before its rebuild, with the code of that day: run once, not again.

``python tests/golden/make.py`` writes ``data/<name>.safetensors`` (weights, inputs, outputs) and ``data/<name>.json``
(the run's configuration, what was called with which arguments, and outputs that are no tensors) for every name in
``MODELS`` and beyond. Models are tiny, their first weights are moved a little at random so that nothing starts at
zero, and all draws are seeded. It is kept to show where the files come from; to run it again would record today's
numbers instead of those that are to be kept. ``test_golden.py`` compares.
"""

from __future__ import annotations

import sys
import time

import make_metrics
import records
import torch
from make_calls import MLP, configuration, sequences
from make_models import BCD_SCALE, MODELS, bcd_values, s3vae_values


def main(chosen: list[str]) -> None:
    torch.set_num_threads(1)
    others = {
        "priors": make_metrics.priors,
        "metrics": make_metrics.metrics,
        "protocols": lambda: make_metrics.protocols(configuration("timeseries", "s3vae", s3vae_values(
            MLP, "linear", prediction=None, prediction_weight=0.0
        ))),
        "bitrate": lambda: make_metrics.bitrate(configuration("video", "bcd", bcd_values()), BCD_SCALE, sequences),
    }  # fmt: skip
    for name, make in {**MODELS, **others}.items():
        if chosen and name not in chosen:
            continue
        start = time.perf_counter()
        maker = make()
        maker.write(name)
        size = (records.DATA / f"{name}.safetensors").stat().st_size // 1024
        count = len(maker.golden.about["records"])
        print(f"{name}: {count} records, {size} KiB, {time.perf_counter() - start:.1f} s", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
