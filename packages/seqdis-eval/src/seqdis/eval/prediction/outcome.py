"""A yes or no predicted from both factors: in-hospital death, in the published tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from seqdis.core.analysis import encode_dataset
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.progress import Progress
from seqdis.core.random import mix_seed
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.seeds import over_seeds
from seqdis.eval.metrics.auprc import area_under_precision_recall
from seqdis.eval.metrics.auroc import area_under_roc
from seqdis.eval.prediction.baselines import Classifier, classify_plainly
from seqdis.eval.prediction.head_training import Examples, fit_head, new_head, standardised
from seqdis.eval.prediction.heads import OutcomeHead
from seqdis.eval.prediction.raw_features import sequence_statistics
from seqdis.eval.prediction.splits import Splits, sequence_lengths

__all__ = ["outcome_protocol"]

_EPOCHS, _BATCH = 41, 32
_LINEAR: Classifier = "logistic_regression"
_BASELINES: tuple[Classifier, ...] = (_LINEAR, "random_forest")
_WHOSE = {
    "": "head on factors",
    "_logistic_regression": "logistic regression on raw",
    "_random_forest": "random forest on raw",
    "_logistic_regression_on_factors": "logistic regression on factors",
}
"""Models in words, by what is appended to a metric's name."""


def outcome_protocol(
    model: Disentangler,
    splits: Splits,
    label: str,
    *,
    window: int,
    seeds: Sequence[int] = (0, 1, 2),
    mode: Mode = "corrected",
    watch: Callable[[Mapping[str, Tensor], Tensor], None] | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """AUPRC and AUROC of a head that reads the factors of a whole sequence (DiffSDA, Tab. 5 and 14).

    ``corrected``: an LSTM reads the dynamics ``window`` steps at a time, up to the last window that holds an existing
    step; factors are standardised; the epoch with the lowest loss on the validation split counts.

    ``published``: the LSTM reads the dynamics step by step, and is asked for its state at the index of the last whole
    window, so that of 48 steps with windows of 4 it has seen 12; the last epoch counts.

    Args:
        model: A model of any method.
        splits: Splits of labelled sequences.
        label: Has two classes; the second is predicted.
        window: Number of steps.
        seeds: Seeds of heads and forests; the first is that of the bootstraps, too.
        mode: Mode of the protocol.
        watch: Called with the first seed's scores of the test split, by the model in words, and the labels.
        progress: Called with sequences encoded and in all.

    Returns:
        ``auprc`` (chance: the share of positives) and ``auroc``, and both of a logistic regression and of a random
        forest on the statistics of raw channels: ``auprc_random_forest``, …. Corrected:
        ``auprc_logistic_regression_on_factors``, …, the same model on both factors.

    Raises:
        InputError: There is no such label, it has other than two classes, one of them is not in the test split, or
            the window is longer than a sequence.
    """
    _check(splits.test, label, window)
    parts = (splits.train, splits.val, splits.test)
    total, done, examples = sum(map(len, parts)), 0, []
    for part in parts:

        def report(count: int, _: int, before: int = done) -> None:
            if progress is not None:
                progress(before + count, total)

        factors = encode_dataset(model, part, progress=report)
        examples.append(
            (
                factors.static.flatten(1),
                factors.dynamic.flatten(2),
                sequence_lengths(part),
                part.all_labels()[label],
            )
        )
        done += len(part)
    train, val, test = (
        [_as_corrected(*example, window) for example in examples]
        if mode == "corrected"
        else [_as_published(*example, window) for example in examples]
    )
    if mode == "corrected":
        statics = standardised(train[0], (val[0], test[0]))
        dynamics = standardised(train[1], (val[1], test[1]))
        train, val, test = (
            (static, dynamic, *rest[2:])
            for static, dynamic, rest in zip(statics, dynamics, (train, val, test), strict=True)
        )
    raw_train, raw_test = sequence_statistics(splits.train), sequence_statistics(splits.test)
    truth = test[-1].long()

    def measure(seed: int) -> Metrics:
        head = new_head(lambda: OutcomeHead(static=train[0].shape[1], dynamic=train[1].shape[2]), seed=seed)
        fit_head(
            head,
            train,
            loss=functional.binary_cross_entropy_with_logits,
            epochs=_EPOCHS,
            batch_size=_BATCH,
            seed=seed,
            val=val if mode == "corrected" else None,
        )
        with torch.no_grad():
            by_kind = {"": head(*test[:-1])}
        for kind in _BASELINES:
            scores = classify_plainly(kind, raw_train, train[-1].long(), raw_test, classes=2, seed=seed)
            by_kind[f"_{kind}"] = scores[:, 1]
        if mode == "corrected":
            known, seen = (torch.cat([part[0], _existing(part).flatten(1)], dim=1) for part in (train, test))
            scores = classify_plainly(_LINEAR, known, train[-1].long(), seen, classes=2, seed=seed)
            by_kind[f"_{_LINEAR}_on_factors"] = scores[:, 1]
        if watch is not None and seed == seeds[0]:
            watch({_WHOSE[kind]: scores for kind, scores in by_kind.items()}, truth)
        areas = {n: m for kind, s in by_kind.items() for n, m in _areas(s, truth, kind, seeds[0]).items()}
        return Metrics.of(areas, role="prediction")

    return over_seeds(measure, seeds)


def _areas(scores: Tensor, truth: Tensor, kind: str, seed: int) -> dict[str, Estimate]:
    def generator() -> torch.Generator:
        return torch.Generator().manual_seed(mix_seed(seed, 4))

    return {
        f"auprc{kind}": area_under_precision_recall(scores, truth, generator=generator()),
        f"auroc{kind}": area_under_roc(scores, truth, generator=generator()),
    }


def _existing(part: Examples) -> Tensor:
    """The windows up to the last one that counts; 0, a standardised mean, behind it."""
    _, dynamic, last, _ = part
    steps = torch.arange(dynamic.shape[1])
    return dynamic * (steps <= last[:, None])[..., None]


def _as_corrected(static: Tensor, dynamic: Tensor, lengths: Tensor, label: Tensor, window: int) -> Examples:
    """``(N, V // W, W·D)``, and the last window that holds an existing step."""
    whole = dynamic.shape[1] // window
    windows = dynamic[:, : whole * window].reshape(len(dynamic), whole, -1)
    last = (-(-lengths // window) - 1).clamp(0, whole - 1)
    return static, windows, last, label.float()


def _as_published(static: Tensor, dynamic: Tensor, lengths: Tensor, label: Tensor, window: int) -> Examples:
    """Steps as they are, and an index that counts windows; what lies behind the greatest index is never read."""
    last = (lengths // window - 1).clamp(min=0)
    return static, dynamic[:, : int(last.max()) + 1], last, label.float()


def _check(test_set: SequenceDataset, label: str, window: int) -> None:
    if label not in test_set.labels:
        raise unknown_name("label of these data", label, test_set.labels)
    classes, steps = test_set.labels[label].classes, test_set.shape[0]
    if len(classes) != 2:
        raise InputError(f"label {label!r} has {len(classes)} classes; an outcome has 2")
    if not 1 <= window <= steps:
        raise InputError(f"window {window}; allowed: 1 to {steps}, the steps of a sequence")
    if len(test_set.all_labels()[label].unique()) != 2:
        raise InputError(
            f"label {label!r}: the test split holds one class alone, which no predictor can rank"
        )
