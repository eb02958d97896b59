"""What the commands of judged protocols share: the judge, the feature networks, runs × seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from seqdis.core.errors import InputError
from seqdis.eval.cli.protocol import OpenRun
from seqdis.eval.cli.run import judge_of

if TYPE_CHECKING:
    from seqdis.core.results import Metric
    from seqdis.eval.features.opened import FeatureNetworks
    from seqdis.eval.judge.sequence_judge import SequenceJudge
    from seqdis.eval.report.blocks import Section

__all__ = [
    "Clips",
    "FeatureOption",
    "JudgedRun",
    "judged",
    "need_labels",
    "networks_of",
    "networks_shown",
    "pairs_beside",
]

FeatureOption = Annotated[
    list[str] | None,
    typer.Option(
        "--features",
        metavar="NAME[=WHICH]",
        show_default=False,
        help="A feature network: fid, fvd, akd=face, akd=body, aed=face, each also with =FILE; may be repeated.",
    ),
]
Clips = Annotated[
    int | None,
    typer.Option("--clips", min=2, show_default=False, help="Test clips at most; all when omitted."),
]


def need_labels(runs: Sequence[OpenRun]) -> None:
    """Refuse data that a judge cannot learn from.

    Raises:
        InputError: They carry no labels.
    """
    if not runs[0].test_set.labels:
        raise InputError(
            f"{runs[0].folder}: its data {runs[0].config.data.dataset!r} carry no labels for a judge to learn"
        )


@dataclass(frozen=True)
class JudgedRun:
    """A run with the judge of its data, which is kept in its folder.

    Attributes:
        run: It.
        judge: In evaluation mode.
        metrics: ``judge_accuracy``, on real test clips.
    """

    run: OpenRun
    judge: SequenceJudge
    metrics: Mapping[str, Metric]


def judged(runs: Sequence[OpenRun], *, quiet: bool) -> list[JudgedRun]:
    """All runs, each with its judge; a note says where one cannot be trusted."""
    from seqdis.eval.judge.judge_accuracy import low_accuracy_note
    from seqdis.eval.metrics.swap_accuracy import majority_chance

    found = []
    for run in runs:
        splits = run.train_set, run.test_set
        judge, accuracy = judge_of(run.folder, run.model, run.config.train.seed, splits, quiet=quiet)
        share = accuracy.metric(chance=majority_chance(run.test_set.all_labels().values()))
        found.append(JudgedRun(run, judge, {"judge_accuracy": share}))
        doubt = low_accuracy_note(share)
        if doubt is not None:
            typer.echo(f"note: {doubt}", err=True)
    return found


def networks_of(words: Sequence[str] | None, runs: Sequence[OpenRun]) -> FeatureNetworks:
    """The feature networks that were asked for.

    Raises:
        InputError: See :func:`~seqdis.eval.features.opened.open_features`; or the frames are no pictures, or the clips
            too short.
    """
    from seqdis.eval.features.opened import as_pictures, open_features

    if words:
        as_pictures(runs[0].test_set.fetch([0]).x)
    networks = open_features(words or [], device=runs[0].model.device)
    steps = runs[0].test_set.shape[0]
    if networks.clips is not None and steps < networks.clips.shortest:
        raise InputError(
            f"fvd: {networks.clips.name} takes clips of {networks.clips.shortest} frames or more; got {steps}"
        )
    return networks


def networks_shown(networks: FeatureNetworks, run: OpenRun) -> list[Section]:
    """A section that names the feature networks, where there are any, and the pixels that distances are counted in."""
    from seqdis.eval.report.blocks import Facts, Section

    named = networks.named()
    if not named:
        return []
    height, width = run.test_set.shape[-2:]
    return [Section("Feature networks", [Facts({**named, "frames": f"{height} × {width} pixels"})])]


def pairs_beside(run: OpenRun, protocol: str, *, seed: int, count: int | None) -> list[tuple[int, int]]:
    """The pairs kept in ``RUN/eval/PROTOCOL/pairs.json``, for both modes and all seeds."""
    from seqdis.eval.engine.pairs import kept_pairs

    path: Path = run.folder / "eval" / protocol / "pairs.json"
    return kept_pairs(path, dataset=run.config.data.dataset, clips=len(run.test_set), seed=seed, count=count)
