"""How long a prior takes on this machine: fitting it, and 2^15 draws for the components of a traversal.

    python benchmarks/prior.py --json prior.json

The factors are random, of the number and shape that the demo's preset gives; what a network learns does not
change how long it takes. The settings are the preset's.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import torch

from seqdis.core.analysis.principal import principal_components
from seqdis.core.analysis.prior_components import DRAWS
from seqdis.core.factors import Factors
from seqdis.core.methods.diffsda import DiffSDAConfig
from seqdis.core.priors.store import get_prior, prior_config
from seqdis.core.registry import build_dataset, get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name

PRESETS = ("diffsda-shapes", "diffsda-tones", "diffsda-waves")


def measure(preset: str, device: torch.device) -> list[BenchmarkRow]:
    """Seconds of each part for one preset."""
    config = get_preset(preset)
    model = config.model
    if not isinstance(model, DiffSDAConfig):
        raise TypeError(f"{preset}: not a DiffSDA preset")
    count = len(build_dataset(config.modality, config.data, "train"))
    g = torch.Generator().manual_seed(0)
    factors = Factors(
        torch.randn(count, model.static_dim, generator=g),
        torch.randn(count, config.data.length, model.dynamic_dim, generator=g),
    )
    kind = config.prior.kind
    prior = get_prior(kind).for_factors(prior_config(config.prior, kind, {}), factors, device=device)
    times = [time.perf_counter()]
    prior.fit(factors)
    times.append(time.perf_counter())
    drawn = prior.sample(DRAWS, generator=torch.Generator().manual_seed(0))
    times.append(time.perf_counter())
    for side in ("static", "dynamic"):
        principal_components(drawn, side)  # type: ignore[arg-type]
    times.append(time.perf_counter())
    what = (f"fitting to {count} sequences", f"{DRAWS} draws", "components of both factors", "all three")
    spent = [times[1] - times[0], times[2] - times[1], times[3] - times[2], times[3] - times[0]]
    return [
        BenchmarkRow(case=f"{preset}, {name}", unit="seconds", ours=value)
        for name, value in zip(what, spent, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    rows = []
    for preset in PRESETS:
        for row in measure(preset, torch.device(options.device)):
            rows.append(row)
            print(f"{row.case:48} {row.ours:8.1f} s", flush=True)
    if options.json:
        benchmark_record(rows, device=device_name(options.device)).save(options.json)


if __name__ == "__main__":
    main()
