"""Leakage: what each factor tells of the other one's labels, and how single entries line up with labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from pydantic import Field
from torch import Tensor

from seqdis.core.analysis import ProbeOutcome, encode_dataset, probe_outcomes
from seqdis.core.base_config import LONGEST
from seqdis.core.capabilities import DrawsFactors
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import SIDES, Factors, Side
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.progress import stage
from seqdis.eval.metrics.dci import dci
from seqdis.eval.metrics.factor_leakage import leakage, leakage_of
from seqdis.eval.metrics.mig import mutual_information_gap
from seqdis.eval.metrics.sap import separated_attribute_predictability
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import BatchOption, ModeOption, SamplerOptions, SeedsOption
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.report.blocks import Section
from seqdis.eval.report.probes import probe_heat_map

__all__ = ["Leakage", "leakage_protocol"]

Codes = dict[str, tuple[Tensor, list[str]]]


def leakage_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    mode: Mode = "corrected",
    score_clips: int = 1000,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Metrics:
    """Linear probes of every label from both factors (DiViD, Sec. 4.2.3; VDSM, Tab. 1), and MIG, SAP and DCI.

    ``"corrected"``: beside DiViD's mean accuracy, the same mean of ``(accuracy − chance) / (1 − chance)``, for a
    mean of accuracies cannot be read without it: with nine actions and fifty persons 6.5% are free, with two and two
    50% are. Also what is read from a method's further factors (VDSM's action), and, where it infers distributions, from a
    draw of them: the decoder is given draws in training, and of a mean a probe reads traces that no decoder sees.
    ``"published"``: the mean alone, and the matrix under the names of VDSM's table.

    Args:
        model: A model of any method.
        train_set: Training split that the probes learn from.
        test_set: Test split on which they are judged.
        seed: Seed of the choice of clips for the scores of single entries, and of their trees.
        mode: Mode of the protocol, as described above.
        score_clips: So many of each split, at most, for MIG, SAP and DCI; 0 leaves them out.
        batch_size: Clips a pass; it does not change the result.
        progress: Called as the work advances.

    Returns:
        ``leakage`` where both sides have labels, and the matrix: ``probe_<label>_from_<side>`` (corrected) or
        ``<label>_from_<side>`` (published). Corrected also ``leakage_above_chance``, and ``mig``, ``sap``,
        ``disentanglement``, ``completeness`` and ``informativeness`` ``@static``, ``@dynamic`` and ``@both``: of a
        side's own labels from its factor, and of all labels from both. There the dynamic factor is its mean and
        deviation over the steps; the same entry at several steps would leave no gap.

    Raises:
        InputError: The data carry no labels.
    """
    if not test_set.labels:
        raise InputError(
            "the data carry no labels: there is nothing that a probe could read from the factors"
        )
    draws = mode == "corrected" and isinstance(model, DrawsFactors)
    end = 0.4 if draws else 0.8
    known, held_out = _encoded(model, (train_set, test_set), batch_size, seed, stage(progress, 0.0, end))
    truth = train_set.all_labels(), test_set.all_labels()
    parts = [*SIDES, *(_further(known) if mode == "corrected" else ())]
    outcomes = probe_outcomes(known, truth[0], held_out, truth[1], parts=parts)
    probes = {name: outcome.estimate() for name, outcome in outcomes.items()}
    metrics = Metrics()
    both = {label.factor for label in test_set.labels.values()} == {"static", "dynamic"}
    if both:
        metrics |= Metrics.of({"leakage": leakage(outcomes, test_set.labels)}, role="leakage")
    if mode == "published":
        printed = {
            f"{label}_from_{side}": probes[f"probe_{label}_from_{side}"]
            for label in truth[1]
            for side in SIDES
        }
        return metrics | Metrics.of(printed, role="probe")
    if both:
        above = leakage(outcomes, test_set.labels, above_chance=True)
        metrics |= Metrics.of({"leakage_above_chance": above}, role="leakage")
        metrics |= _by_part(outcomes, known, parts, test_set.labels)
    metrics |= Metrics.of(probes, role="probe")
    if draws:
        drawn = _encoded(
            model, (train_set, test_set), batch_size, seed, stage(progress, end, 0.8), drawn=True
        )
        outcomes = probe_outcomes(drawn[0], truth[0], drawn[1], truth[1], parts=parts)
        if both:
            metrics |= _by_part(outcomes, known, parts, test_set.labels, case="draw")
        found = {name: outcome.estimate() for name, outcome in outcomes.items()}
        metrics |= Metrics.of(found, role="probe", case="draw")
    if progress is not None:
        progress(850, 1000)
    if score_clips:
        chosen = [_some(len(dataset), score_clips, seed) for dataset in (train_set, test_set)]
        scored = [
            (factors[index], {name: value[index] for name, value in labels.items()})
            for factors, labels, index in zip((known, held_out), truth, chosen, strict=True)
        ]
        metrics |= _entry_scores(scored[0], scored[1], test_set.labels, seed)
    if progress is not None:
        progress(1000, 1000)
    return metrics


def _encoded(
    model: Disentangler,
    datasets: tuple[SequenceDataset, SequenceDataset],
    batch_size: int,
    seed: int,
    progress: Progress | None,
    *,
    drawn: bool = False,
) -> tuple[Factors, Factors]:
    first, second = (
        encode_dataset(
            model, one, batch_size=batch_size, seed=seed, drawn=drawn, progress=stage(progress, *share)
        )
        for one, share in zip(datasets, ((0.0, 0.75), (0.75, 1.0)), strict=True)
    )
    return first, second


def _further(factors: Factors) -> list[str]:
    """Names of the further factors that are numbers; of codes, which are names, no line can be read."""
    return [name for name, extra in factors.extras.items() if extra.value.is_floating_point()]


def _by_part(
    outcomes: Mapping[str, ProbeOutcome],
    factors: Factors,
    parts: Sequence[str],
    labels: Mapping[str, Label],
    case: str = "",
) -> Metrics:
    """The mean accuracy of each part's probes on the labels of the other side."""
    sides: dict[str, Side] = {"static": "static", "dynamic": "dynamic"}
    sides |= {name: extra.side for name, extra in factors.extras.items()}
    found = {f"leakage_from_{part}": leakage_of(part, sides[part], outcomes, labels) for part in parts}
    return Metrics.of(found, role="leakage", case=case)


def _some(count: int, at_most: int, seed: int) -> Tensor:
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    return order[:at_most].sort().values


def _codes(factors: Factors, labels: Mapping[str, Label]) -> Codes:
    """Codes by case, with the labels that belong to each."""
    static = factors.static.flatten(1).double()
    steps = factors.dynamic.flatten(2).double()
    dynamic = torch.cat([steps.mean(1), steps.std(1, correction=0)], dim=1)
    own = {side: [n for n, label in labels.items() if label.factor == side] for side in ("static", "dynamic")}
    return {
        "static": (static, own["static"]),
        "dynamic": (dynamic, own["dynamic"]),
        "both": (torch.cat([static, dynamic], dim=1), list(labels)),
    }


def _entry_scores(
    train: tuple[Factors, Mapping[str, Tensor]],
    test: tuple[Factors, Mapping[str, Tensor]],
    labels: Mapping[str, Label],
    seed: int,
) -> Metrics:
    """MIG, SAP and DCI of every case; a case without a label that varies is left out, and so is DCI of one label."""
    known, held_out = _codes(train[0], labels), _codes(test[0], labels)
    metrics = Metrics()
    for case, (codes, names) in held_out.items():
        varying = [n for n in names if min(len(part[1][n].unique()) for part in (train, test)) > 1]
        if not varying or codes.shape[1] < 2:
            continue
        learnt, asked = ({n: part[1][n] for n in varying} for part in (train, test))
        estimates = {
            "mig": mutual_information_gap(codes, asked, seed=seed),
            "sap": separated_attribute_predictability(known[case][0], learnt, codes, asked, seed=seed),
        }
        if len(varying) > 1:
            estimates |= dci(known[case][0], learnt, codes, asked, seed=seed)
        metrics |= Metrics.of(estimates, role="entries", case=case)
    return metrics


class Leakage(Protocol):
    """Probe every label from both factors, with their leakage (DiViD, Tab. 1), MIG, SAP and DCI."""

    name = "leakage"
    requires = "labels for a judge to learn"
    headline = ("leakage", "leakage_above_chance")

    class Options(BatchOption, SamplerOptions, SeedsOption, ModeOption):
        """The number of clips that are encoded and scored, how they are decoded, and how often it is repeated."""

        score_clips: int = Field(
            1000, ge=0, le=LONGEST, description="clips of each split for MIG, SAP and DCI; 0: without"
        )

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its data carry labels."""
        return bool(run.test_set.labels)

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds."""
        options = context.options

        def measure(number: int, seed: int, progress: Progress) -> Metrics:
            run = context.runs[number]
            return leakage_protocol(
                run.model, run.train_set, run.test_set, seed=seed, mode=options.mode,
                score_clips=options.score_clips, batch_size=options.batch_size, progress=progress,
            )  # fmt: skip

        self._metrics = context.repeat(measure, what="probing")
        return self._metrics

    def sections(self, context: Context) -> list[Section]:
        """The probes as a heat map."""
        labels = context.first.test_set.labels
        prefix = "" if context.mode == "published" else "probe_"
        probes = {
            (label, side): self._metrics[f"{prefix}{label}_from_{side}"] for label in labels for side in SIDES
        }
        heat_map = probe_heat_map(probes, labels)
        note = "Logistic regression on the training split's factors, judged on the test split's."
        return [] if heat_map is None else [Section("Probes", [heat_map], note)]
