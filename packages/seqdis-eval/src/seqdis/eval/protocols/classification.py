"""Labels of a whole sequence read from its static factor alone: month and unit, in the published tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from seqdis.core.analysis import encode_dataset
from seqdis.core.base_config import LONGEST
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.core.random import mix_seed
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.seeds import mean_over_seeds, over_seeds
from seqdis.eval.metrics.accuracy import accuracy
from seqdis.eval.prediction.baselines import Classifier, classify_plainly
from seqdis.eval.prediction.head_training import fit_head, new_head, standardised
from seqdis.eval.prediction.heads import LabelHead
from seqdis.eval.prediction.raw_features import sequence_statistics
from seqdis.eval.prediction.splits import Splits, splits_in
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import ModeOption, SeedsOption
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.report.blocks import Block, Section
from seqdis.eval.report.prediction_blocks import answers_by_class

__all__ = ["Classification", "classification_protocol"]

_EPOCHS, _BATCH = 41, 32
_LINEAR: Classifier = "logistic_regression"
_BASELINES: tuple[Classifier, ...] = (_LINEAR, "random_forest")


def classification_protocol(
    model: Disentangler,
    splits: Splits,
    labels: Sequence[str] | None = None,
    *,
    seeds: Sequence[int] = (0, 1, 2),
    mode: Mode = "corrected",
    watch: Callable[[str, Tensor, Tensor], None] | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Accuracy of a two-layer head on the static factor (DiffSDA, Tab. 5 and 15).

    The epoch with the lowest loss on the validation split counts, in both modes. ``corrected``: each seed has a head
    of its own, on standardised factors. ``published``: one head for all seeds, which each begins to train where the
    one before has left it.

    Args:
        model: A model of any method.
        splits: Labelled sequences of any modality.
        labels: Labels to read; those of the static factor when omitted.
        seeds: Seeds of heads and forests, in this order; the first is that of the bootstraps, too.
        mode: Mode of the protocol.
        watch: Shown each label with the answers of the first seed's head on the test split, and the true classes.
        progress: Called with sequences encoded and in all.

    Returns:
        ``<label>_accuracy`` (chance: the training split's commonest class), and that of a logistic regression and of
        a random forest on the statistics of raw channels: ``<label>_accuracy_random_forest``, …. Corrected:
        ``<label>_accuracy_logistic_regression_on_factors``, the same model on the static factor. The interval draws
        the groups of :class:`~seqdis.eval.prediction.splits.Splits`, where there are any.

    Raises:
        InputError: The data have no such label, or none that belongs to the static factor.
    """
    chosen = _chosen(splits, labels)
    parts = (splits.train, splits.val, splits.test)
    total, done, encoded = sum(map(len, parts)), 0, []
    for part in parts:

        def report(count: int, _: int, before: int = done) -> None:
            if progress is not None:
                progress(before + count, total)

        encoded.append(encode_dataset(model, part, progress=report).static.flatten(1))
        done += len(part)
    statics = standardised(encoded[0], encoded[1:]) if mode == "corrected" else encoded
    raw = sequence_statistics(splits.train), sequence_statistics(splits.test)
    metrics = Metrics()
    for label in chosen:
        truths = [part.all_labels()[label] for part in parts]
        classes = len(splits.train.labels[label].classes)
        measure = _measure(label, statics, truths, raw, classes, mode, splits.groups, seeds[0], watch)
        metrics |= over_seeds(measure, seeds)
    return metrics


def _measure(
    label: str,
    statics: Sequence[Tensor],
    truths: Sequence[Tensor],
    raw: tuple[Tensor, Tensor],
    classes: int,
    mode: Mode,
    groups: Tensor | None,
    draws: int,
    watch: Callable[[str, Tensor, Tensor], None] | None,
) -> Callable[[int], Metrics]:
    kept: LabelHead | None = None

    def measure(seed: int) -> Metrics:
        nonlocal kept
        head = kept or new_head(lambda: LabelHead(inputs=statics[0].shape[1], classes=classes), seed=seed)
        fit_head(
            head,
            (statics[0], truths[0]),
            loss=functional.cross_entropy,
            epochs=_EPOCHS,
            batch_size=_BATCH,
            seed=seed,
            val=(statics[1], truths[1]),
        )
        if mode == "published":
            kept = head
        with torch.no_grad():
            predicted = {f"{label}_accuracy": head(statics[2]).argmax(1)}
        if watch is not None and seed == draws:
            watch(label, predicted[f"{label}_accuracy"], truths[2])
        for kind in _BASELINES:
            scores = classify_plainly(kind, raw[0], truths[0], raw[1], classes=classes, seed=seed)
            predicted[f"{label}_accuracy_{kind}"] = scores.argmax(1)
        if mode == "corrected":
            scores = classify_plainly(_LINEAR, statics[0], truths[0], statics[2], classes=classes, seed=seed)
            predicted[f"{label}_accuracy_{_LINEAR}_on_factors"] = scores.argmax(1)
        estimates = {
            name: accuracy(
                answers, truths[2], train_truth=truths[0], groups=groups,
                generator=torch.Generator().manual_seed(mix_seed(draws, 4)),
            )
            for name, answers in predicted.items()
        }  # fmt: skip
        return Metrics.of(estimates, role="classification")

    return measure


def _chosen(splits: Splits, labels: Sequence[str] | None) -> list[str]:
    known = splits.test.labels
    if labels is None:
        labels = [name for name, label in known.items() if label.factor == "static"]
        if not labels:
            raise InputError("the data carry no label of the static factor; there is nothing to classify")
    for name in labels:
        if name not in known:
            raise unknown_name("label of these data", name, known)
    return list(labels)


class Classification(Protocol):
    """Read labels from the static factor alone, beside plain models on raw features; of any labelled data."""

    name = "classification"
    requires = "labels"

    class Options(SeedsOption, ModeOption):
        """The label that is predicted, and how often the measurement is repeated."""

        seeds: int = Field(
            3, ge=1, le=LONGEST, description="repetitions of each run's measurement, from --seed on"
        )
        label: tuple[str, ...] = Field(
            (), description="may be repeated; the labels of the static factor when omitted"
        )

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its data carry labels."""
        return bool(run.test_set.labels)

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds; the answers that are shown are those of the first run and seed."""
        options, results = context.options, []
        self._answers: list[Block] = []
        for number, run in enumerate(context.runs):
            splits = splits_in(run, options.mode)
            with context.bar(f"classifying {run.folder.name}") as progress:
                results.append(
                    classification_protocol(
                        run.model, splits, options.label or None, seeds=list(context.seeds), mode=options.mode,
                        watch=None if number else partial(self._show, splits), progress=progress,
                    )
                )  # fmt: skip
        return mean_over_seeds(results)

    def _show(self, splits: Splits, name: str, predicted: Tensor, truth: Tensor) -> None:
        self._answers += answers_by_class(name, predicted, truth, splits.test.labels[name].classes)

    def sections(self, context: Context) -> list[Section]:
        """The answers on the test split by class."""
        return [Section("Answers", self._answers)]
