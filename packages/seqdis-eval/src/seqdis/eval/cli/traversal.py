"""``seqdis eval traversal``: moving one factor along its principal components, before a judge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, ModelSettings, SamplerName, SamplerSteps, Seed
from seqdis.core.errors import InputError
from seqdis.eval.cli.measuring import judged, need_labels
from seqdis.eval.cli.protocol import Measurement, ModeOption, Out, Runs, Seeds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from seqdis.core.progress import Progress
    from seqdis.core.results import Metric

__all__ = ["traversal"]


def traversal(
    runs: Runs,
    out: Out = None,
    mode: ModeOption = "corrected",
    seeds: Seeds = 1,
    clips: Annotated[int, typer.Option(min=1, help="Test clips at most.")] = 64,
    components: Annotated[int, typer.Option(min=1, help="The first so many of each factor.")] = 4,
    span: Annotated[float, typer.Option(min=0.01, help="α goes from -span to span (Eq. 6).")] = 1.0,
    points: Annotated[int, typer.Option(min=3, help="Places along the way; an odd number.")] = 5,
    draws: Annotated[int, typer.Option(min=2, help="Samples of the prior for the components.")] = 2**15,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    settings: ModelSettings = None,
    seed: Seed = 0,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Move held-out clips along principal components: does a judge see the other factor stay (DiffSDA, Eq. 6)?

    The judge is kept in the run's folder; a method without a prior of its own needs `seqdis prior fit`.
    """
    from seqdis.core.priors.store import open_prior
    from seqdis.eval.protocols.traversal import traversal_amounts, traversal_directions, traversal_protocol
    from seqdis.eval.report.shown import traversals_shown

    work = Measurement.begin(
        "traversal", runs, out=out, mode=mode, seed=seed, seeds=seeds, data=data, device=device, steps=steps,
        sampler=sampler, settings=settings, as_json=as_json,
    )  # fmt: skip
    opened = work.runs
    need_labels(opened)
    if points % 2 == 0:
        raise InputError(f"--points {points}: must be odd, for the middle one is α = 0")
    priors = [open_prior(run.folder, run.model) for run in opened]
    judges = judged(opened, quiet=as_json)
    directions = [
        traversal_directions(prior, mode=mode, seed=seed, components=components, draws=draws)
        for prior in priors
    ]

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        one = judges[number]
        found = traversal_protocol(
            one.run.model, directions[number], one.judge, one.run.test_set, seed=seed, clips=clips, span=span,
            points=points, progress=progress,
        )  # fmt: skip
        return {**one.metrics, **found}

    metrics = work.repeat(measure, what="traversing")
    first = opened[0]
    amounts = traversal_amounts(span, points)
    section = traversals_shown(first.model, directions[0], first.test_set, amounts, work.showroom(), seed)
    work.publish(
        metrics,
        sections=[section],
        drawn=True,
        clips=clips,
        components=components,
        span=span,
        points=points,
        draws=draws,
    )
