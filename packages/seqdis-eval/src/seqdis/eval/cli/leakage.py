"""``seqdis eval leakage``: what each factor tells of the other one's labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.eval.cli.measuring import need_labels
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqdis.core.progress import Progress
    from seqdis.core.results import Metric

__all__ = ["leakage"]


def leakage(
    runs: Runs,
    out: Out = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 1,
    score_clips: Annotated[
        int,
        typer.Option("--score-clips", min=0, help="Clips of each split for MIG, SAP and DCI; 0: without."),
    ] = 1000,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    settings: ModelSettings = None,
    seed: Seed = 0,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Probe every label from both factors, with their leakage (DiViD, Tab. 1), MIG, SAP and DCI."""
    from seqdis.eval.protocols.leakage import leakage_protocol
    from seqdis.eval.report.blocks import Section
    from seqdis.eval.report.probes import probe_heat_map

    work = Measurement.begin(
        "leakage", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device, steps=steps,
        sampler=sampler, settings=settings, as_json=as_json,
    )  # fmt: skip
    opened = work.runs
    need_labels(opened)

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        run = opened[number]
        return leakage_protocol(
            run.model, run.train_set, run.test_set, seed=seed, mode=mode, score_clips=score_clips,
            progress=progress,
        )  # fmt: skip

    metrics = work.repeat(measure, what="probing")
    named = {
        name if name.startswith("probe_") else f"probe_{name}": metric for name, metric in metrics.items()
    }
    found = probe_heat_map(named, opened[0].test_set.labels)
    note = "Logistic regression on the training split's factors, judged on the test split's."
    sections = [] if found is None else [Section("Probes", [found], note)]
    work.publish(metrics, sections=sections, score_clips=score_clips)
