"""``seqdis eval reconstruction``: how close decoded clips are to their sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.eval.cli.measuring import Clips, FeatureOption, networks_of, networks_shown
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqdis.core.progress import Progress
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
    from seqdis.eval.protocols.reconstruction import reconstruction_protocol
    from seqdis.eval.report.shown import reconstruction_shown

    work = Measurement.begin(
        "reconstruction", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device, steps=steps,
        sampler=sampler, settings=settings, as_json=as_json,
    )  # fmt: skip
    opened = work.runs
    networks = networks_of(features, opened)

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        run = opened[number]
        return reconstruction_protocol(
            run.model, run.train_set, run.test_set, seed=seed, mode=mode, clips=clips, features=networks,
            progress=progress,
        )  # fmt: skip

    metrics = work.repeat(measure, what="reconstructing")
    first = opened[0]
    section = reconstruction_shown(first.model, first.test_set, work.showroom(), seed)
    work.publish(
        metrics, sections=[section, *networks_shown(networks, work.runs[0])], clips=clips, features=features
    )
