"""``seqdis eval reconstruction``: how close decoded clips are to their sources."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.eval.cli.measuring import Clips, FeatureOption, measure_runs, networks_of, networks_shown
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

__all__ = ["reconstruction"]


def reconstruction(
    runs: Runs,
    out: Out = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 1,
    clips: Clips = None,
    features: FeatureOption = None,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    settings: ModelSettings = None,
    seed: Seed = 0,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Encode and decode held-out clips: MSE, and with --features AED, CSIM, AKD, FID and FVD (DiffSDA, Tab. 3)."""
    from seqdis.core.registry import get_modality
    from seqdis.eval.protocols.reconstruction import reconstruction_protocol
    from seqdis.eval.report.media import Showroom
    from seqdis.eval.report.shown import reconstruction_shown

    started = time.perf_counter()
    place = place_of("reconstruction", runs, out, mode)
    opened = open_runs(runs, data=data, device=device, steps=steps, sampler=sampler, settings=settings)
    networks = networks_of(features, opened)

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        run = opened[number]
        return reconstruction_protocol(
            run.model, run.train_set, run.test_set, seed=seed, mode=mode, clips=clips, features=networks,
            progress=progress,
        )  # fmt: skip

    metrics = measure_runs(opened, seeds_from(seed, seeds), measure, what="reconstructing", quiet=as_json)
    first = opened[0]
    show = Showroom(get_modality(first.config.modality), first.config.data)
    section = reconstruction_shown(first.model, first.test_set, show, seed)
    words = typed(
        "reconstruction",
        runs,
        mode=mode,
        seeds=seeds,
        seed=seed,
        clips=clips,
        features=features,
        steps=steps,
        sampler=sampler,
        model=settings,
    )
    publish(
        "reconstruction", metrics, runs=opened, place=place, words=words, mode=mode, seed=seed, started=started,
        data=data, sections=[section, *networks_shown(networks)], as_json=as_json,
    )  # fmt: skip
