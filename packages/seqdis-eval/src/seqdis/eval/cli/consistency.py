"""``seqdis eval consistency``: does a judge say the same of real clips and of what the model makes of them?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.eval.cli.measuring import Clips, judged, need_labels
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqdis.core.progress import Progress
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
    from seqdis.eval.protocols.consistency import consistency_protocol
    from seqdis.eval.report.shown import consistency_shown

    work = Measurement.begin(
        "consistency", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device, steps=steps,
        sampler=sampler, settings=settings, as_json=as_json,
    )  # fmt: skip
    opened = work.runs
    need_labels(opened)
    judges = judged(opened, quiet=as_json)

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        one = judges[number]
        found = consistency_protocol(
            one.run.model, one.judge, one.run.test_set, seed=seed, mode=mode, clips=clips, progress=progress
        )
        return {**one.metrics, **found}

    metrics = work.repeat(measure, what="comparing")
    first = opened[0]
    section = consistency_shown(first.model, judges[0].judge, first.test_set, work.showroom(), seed)
    work.publish(metrics, sections=[section], clips=clips)
