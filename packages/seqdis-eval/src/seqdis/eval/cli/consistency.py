"""``seqdis eval consistency``: does a judge say the same of real clips and of what the model makes of them?"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.eval.cli.measuring import Clips, judged, measure_runs, need_labels
from seqdis.eval.cli.protocol import (
    ModeOption,
    Out,
    Runs,
    Seeds,
    open_runs,
    place_of,
    publish,
    seeds_from,
    typed,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqdis.core.disentangler import Progress
    from seqdis.core.results import Metric

__all__ = ["consistency"]


def consistency(
    runs: Runs,
    out: Out = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 1,
    clips: Clips = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    settings: ModelSettings = None,
    seed: Seed = 0,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Ask a judge about held-out clips and about their reconstructions: how often it says the same (VDSM, Tab. 1, 2).

    The judge is kept in the run's folder.
    """
    from seqdis.core.registry import get_modality
    from seqdis.eval.protocols.consistency import consistency_protocol
    from seqdis.eval.report.media import Showroom
    from seqdis.eval.report.shown import consistency_shown

    started = time.perf_counter()
    place = place_of("consistency", runs, out, mode)
    opened = open_runs(runs, data=data, device=device, steps=steps, sampler=sampler, settings=settings)
    need_labels(opened)
    judges = judged(opened, quiet=as_json)

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        one = judges[number]
        found = consistency_protocol(
            one.run.model, one.judge, one.run.test_set, seed=seed, mode=mode, clips=clips, progress=progress
        )
        return {**one.metrics, **found}

    metrics = measure_runs(opened, seeds_from(seed, seeds), measure, what="comparing", quiet=as_json)
    first = opened[0]
    show = Showroom(get_modality(first.config.modality), first.config.data)
    section = consistency_shown(first.model, judges[0].judge, first.test_set, show, seed)
    words = typed(
        "consistency",
        runs,
        mode=mode,
        seeds=seeds,
        seed=seed,
        clips=clips,
        steps=steps,
        sampler=sampler,
        model=settings,
    )
    publish(
        "consistency", metrics, runs=opened, place=place, words=words, mode=mode, seed=seed, started=started,
        data=data, sections=[section], as_json=as_json,
    )  # fmt: skip
