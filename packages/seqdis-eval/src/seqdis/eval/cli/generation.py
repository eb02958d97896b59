"""``seqdis eval generation``: one factor kept, the other drawn from the prior, before a judge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.eval.cli.measuring import (
    Clips,
    FeatureOption,
    judged,
    need_labels,
    networks_of,
    networks_shown,
)
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqdis.core.progress import Progress
    from seqdis.core.results import Metric

__all__ = ["generation"]


def generation(
    runs: Runs,
    out: Out = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 3,
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
    """Keep one factor of held-out clips, draw the other from the prior, and ask a judge (S3VAE, Tab. 1).

    Accuracy of what is kept, Inception score and entropies of what is drawn; FID, FVD, AED, CSIM and AKD with
    --features. The judge is kept in the run's folder; a method without a prior of its own needs `seqdis prior fit`.
    """
    from seqdis.core.priors.store import open_prior
    from seqdis.eval.protocols.generation import generation_protocol
    from seqdis.eval.report.shown import generation_shown

    work = Measurement.begin(
        "generation", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device, steps=steps,
        sampler=sampler, settings=settings, as_json=as_json,
    )  # fmt: skip
    opened = work.runs
    networks = networks_of(features, opened)
    if not networks.named():
        need_labels(opened)
    priors = [open_prior(run.folder, run.model) for run in opened]
    judges = judged(opened, quiet=as_json) if opened[0].test_set.labels else []

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        run = opened[number]
        found = generation_protocol(
            run.model, priors[number], judges[number].judge if judges else None, run.train_set, run.test_set,
            seed=seed, mode=mode, clips=clips, features=networks, progress=progress,
        )  # fmt: skip
        return {**(judges[number].metrics if judges else {}), **found}

    metrics = work.repeat(measure, what="drawing")
    first = opened[0]
    section = generation_shown(first.model, priors[0], first.test_set, work.showroom(), seed)
    work.publish(
        metrics,
        sections=[section, *networks_shown(networks, work.runs[0])],
        drawn=True,
        clips=clips,
        features=features,
    )
