"""``seqdis eval content``: what is said, read from each factor."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, Seed
from seqdis.core.cli.output import progress_bar
from seqdis.eval.cli.protocol import Out, Runs, Seeds, open_runs, place_of, publish, seeds_from, typed

if TYPE_CHECKING:
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
    from seqdis.eval.content_head import HeadBudget
    from seqdis.eval.protocols.content import content_protocol
    from seqdis.eval.protocols.seeds import mean_over_seeds

    started = time.perf_counter()
    place = place_of("content", runs, out, "corrected")
    opened = open_runs(runs, data=data, device=device)
    results: list[dict[str, Metric]] = []
    for run in opened:
        for number in seeds_from(seed, seeds):
            with progress_bar(f"{run.folder.name}, seed {number}", show=not as_json) as progress:
                results.append(
                    content_protocol(
                        run.model,
                        run.train_set,
                        run.test_set,
                        seed=number,
                        vocabulary=vocabulary,
                        budget=HeadBudget(steps=head_steps),
                        progress=progress,
                    )
                )
    words = typed(
        "content", runs, head_steps=None if head_steps == _STEPS else head_steps,
        vocabulary=None if vocabulary == _TOKENS else vocabulary, seeds=seeds, seed=seed,
    )  # fmt: skip
    publish(
        "content",
        mean_over_seeds(results),
        runs=opened,
        place=place,
        words=words,
        mode="corrected",
        seed=seed,
        started=started,
        data=data,
        as_json=as_json,
    )
