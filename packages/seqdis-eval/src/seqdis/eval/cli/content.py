"""``seqdis eval content``: what is said, read from each factor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, Seed
from seqdis.eval.cli.protocol import Measurement, Out, Runs, Seeds

if TYPE_CHECKING:
    from seqdis.core.progress import Progress
    from seqdis.core.results import Metric

__all__ = ["content"]

_STEPS = 600
_TOKENS = 64


def content(
    runs: Runs,
    head_steps: Annotated[
        int, typer.Option("--head-steps", min=1, help="Steps of the training of each recogniser.")
    ] = _STEPS,
    vocabulary: Annotated[int, typer.Option("--vocabulary", min=2, help="Subwords at most.")] = _TOKENS,
    seeds: Seeds = 3,
    seed: Seed = 0,
    out: Out = None,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Token error rate of a small CTC recogniser that hears one factor alone, wherever transcripts exist."""
    from seqdis.eval.protocols.content import content_protocol
    from seqdis.eval.speech.content_head import HeadBudget

    work = Measurement.begin(
        "content", runs, out=out, seed=seed, seeds=seeds, data=data, device=device, as_json=as_json
    )

    def measure(number: int, seed: int, progress: Progress) -> Mapping[str, Metric]:
        run = work.runs[number]
        return content_protocol(
            run.model, run.train_set, run.test_set, seed=seed, vocabulary=vocabulary,
            budget=HeadBudget(steps=head_steps), progress=progress,
        )  # fmt: skip

    work.publish(
        work.repeat(measure, what="listening to"),
        head_steps=None if head_steps == _STEPS else head_steps,
        vocabulary=None if vocabulary == _TOKENS else vocabulary,
    )
