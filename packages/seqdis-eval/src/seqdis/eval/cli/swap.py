"""``seqdis eval swap``: swaps before a judge, probes and leakage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.eval.cli.measuring import (
    FeatureOption,
    judged,
    need_labels,
    networks_of,
    networks_shown,
    pairs_beside,
)
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqdis.core.progress import Progress
    from seqdis.core.results import Metric

__all__ = ["swap"]


def swap(
    runs: Runs,
    out: Out = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 1,
    pairs: Annotated[
        int | None, typer.Option(min=1, show_default=False, help="Swaps; one a test clip when omitted.")
    ] = None,
    features: FeatureOption = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    settings: ModelSettings = None,
    seed: Seed = 0,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Swap held-out clips and let a judge, trained on real ones, say what the results show.

    Also what linear probes read from each factor, their leakage, and AED, CSIM, AKD, FID and FVD with --features.
    The judge and the list of pairs are kept in the run's folder.
    """
    from seqdis.eval.protocols.swap import swap_protocol
    from seqdis.eval.report.shown import swaps_shown

    work = Measurement.begin(
        "swap", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device, steps=steps,
        sampler=sampler, settings=settings, as_json=as_json,
    )  # fmt: skip
    opened = work.runs
    networks = networks_of(features, opened)
    if not networks.named():
        need_labels(opened)
    judges = judged(opened, quiet=as_json) if opened[0].test_set.labels else []
    lists = [pairs_beside(run, "swap", seed=seed, count=pairs) for run in opened]

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        run = opened[number]
        return swap_protocol(
            run.model, run.train_set, run.test_set, seed=seed, mode=mode, pairs=lists[number],
            judge=judges[number].judge if judges else None, features=networks, progress=progress,
        )  # fmt: skip

    metrics = work.repeat(measure, what="swapping")
    first = opened[0]
    section = swaps_shown(first.model, first.test_set, work.showroom(), seed)
    work.publish(
        metrics, sections=[section, *networks_shown(networks, work.runs[0])], pairs=pairs, features=features
    )
