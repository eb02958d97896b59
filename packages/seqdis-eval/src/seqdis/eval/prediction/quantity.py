"""A number predicted from the factors of a window: oil temperature, in the published tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from seqdis.core.analysis import encode_dataset
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.core.random import mix_seed
from seqdis.eval.engine.mode import Mode
from seqdis.eval.engine.seeds import over_seeds
from seqdis.eval.metrics.absolute_error import mean_absolute_error
from seqdis.eval.prediction.baselines import Regressor, regress_plainly
from seqdis.eval.prediction.head_training import fit_head, new_head, standardised
from seqdis.eval.prediction.heads import QuantityHead
from seqdis.eval.prediction.raw_features import window_values
from seqdis.eval.prediction.rolled import Rolled
from seqdis.eval.prediction.splits import Splits, sequence_lengths

__all__ = ["WindowValues", "mismatched", "quantity_protocol"]

_EPOCHS, _BATCH = 301, 256
_BASELINES: tuple[Regressor, ...] = ("ridge", "random_forest")
_WHOSE = {
    "mae": "head on factors",
    "mae_ridge": "ridge on raw",
    "mae_random_forest": "random forest on raw",
    "mae_ridge_on_factors": "ridge on factors",
}
"""Models in words, by the metric of their error."""


@dataclass(frozen=True)
class WindowValues:
    """The number that goes with each window of each sequence of :class:`Splits`, ``(N, V // W)`` each."""

    train: Tensor
    val: Tensor
    test: Tensor


@dataclass(frozen=True)
class _Windows:
    """Existing windows of a split: factors ``(K, W·D + S)``, the number ``(K,)``, which sequence ``(K,)``."""

    factors: Tensor
    value: Tensor
    sequence: Tensor
    raw: Tensor


def quantity_protocol(
    model: Disentangler,
    splits: Splits,
    values: WindowValues,
    *,
    window: int,
    seeds: Sequence[int] = (0, 1, 2),
    mode: Mode = "corrected",
    unit: str = "",
    watch: Callable[[Mapping[str, Tensor], Tensor, Tensor], None] | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """MAE of a head that reads the static factor and the dynamics of one window (DiffSDA, Tab. 5 and 14).

    ``corrected``: the number goes with its window; it is standardised while the head learns; the epoch with the
    lowest error on the validation split counts.

    ``published``: every sequence is shifted cyclically by a random number of steps, its numbers stay where they are;
    in the training split the numbers come from one pass over the shuffled sequences and the factors from another;
    the last epoch counts. The plain models see windows as they are.

    Args:
        model: A model of any method.
        splits: Splits of sequences.
        values: The number of each of their windows.
        window: Number of steps, W.
        seeds: Seeds of heads, forests, and of the two passes and shifts; the first is that of the bootstraps, too.
        mode: Mode of the protocol.
        unit: Unit of the number.
        watch: Called with the first seed's predictions of the test windows by the model in words, their numbers, and
            which sequence each window is of, all ``(K,)``.
        progress: Called with sequences encoded and in all.

    Returns:
        ``mae`` in the number's unit (chance: the training split's median), and ``mae_ridge`` and
        ``mae_random_forest`` on the raw steps of a window. Corrected: ``mae_ridge_on_factors``, which compares factors
        with raw steps under one model, whatever the head made of them. The interval draws whole sequences.

    Raises:
        InputError: The numbers do not fit the sequences, or are not finite.
    """
    parts = {"train": splits.train, "val": splits.val, "test": splits.test}
    for name, part in parts.items():
        _check(name, part, getattr(values, name), window)
    rounds = len(set(seeds)) if mode == "published" else 1
    total, done = rounds * sum(map(len, parts.values())), 0

    def windows_of(seed: int | None) -> dict[str, _Windows]:
        nonlocal done
        predictions = {}
        for stream, (name, part) in enumerate(parts.items()):
            read = part if seed is None else Rolled(part, seed=mix_seed(seed, 5, stream))

            def report(count: int, _: int, before: int = done) -> None:
                if progress is not None:
                    progress(before + count, total)

            predictions[name] = _windows(model, part, read, getattr(values, name), window, report)
            done += len(part)
        return predictions

    fixed = windows_of(None) if mode == "corrected" else None

    def measure(seed: int) -> Metrics:
        known = windows_of(seed) if fixed is None else fixed
        train, val, test = (known[name] for name in parts)
        predicted = _sound(train, val, test, seed) if mode == "corrected" else _published(train, test, seed)
        predictions = {"mae": predicted}
        for kind in _BASELINES:
            predictions[f"mae_{kind}"] = regress_plainly(kind, train.raw, train.value, test.raw, seed=seed)
        if mode == "corrected":
            predictions["mae_ridge_on_factors"] = regress_plainly(
                "ridge", train.factors, train.value, test.factors, seed=seed
            )
        if watch is not None and seed == seeds[0]:
            watch({_WHOSE[name]: value for name, value in predictions.items()}, test.value, test.sequence)
        errors = {
            name: mean_absolute_error(
                value,
                test.value,
                train_truth=train.value,
                generator=torch.Generator().manual_seed(mix_seed(seeds[0], 4)),
                groups=test.sequence,
                unit=unit,
            )
            for name, value in predictions.items()
        }
        return Metrics.of(errors, role="prediction")

    return over_seeds(measure, seeds)


def mismatched(sequence: Tensor, *, generator: torch.Generator) -> Tensor:
    """The window whose number the published code puts beside the factors of each: ``(K,)``.

    Two passes over a shuffled loader give the sequences in two orders, and the windows one after another in each.

    Args:
        sequence: Sequence of each window, ``(K,)``.
        generator: Random generator of both passes.
    """
    numbers, member = sequence.unique(return_inverse=True)

    def one_pass() -> Tensor:
        order = torch.randperm(len(numbers), generator=generator)
        return order[member].argsort(stable=True)

    inputs, labels = one_pass(), one_pass()
    beside = torch.empty_like(inputs)
    beside[inputs] = labels
    return beside


def _sound(train: _Windows, val: _Windows, test: _Windows, seed: int) -> Tensor:
    factors = standardised(train.factors, (val.factors, test.factors))
    numbers = standardised(train.value[:, None], (val.value[:, None],))
    head = _fitted(factors[0], numbers[0][:, 0], seed, val=(factors[1], numbers[1][:, 0]))
    with torch.no_grad():
        scaled = head(factors[2]).double()
    mean, std = train.value.double().mean(), train.value.double().std(correction=0)
    return scaled * std + mean


def _published(train: _Windows, test: _Windows, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(mix_seed(seed, 6))
    head = _fitted(train.factors, train.value[mismatched(train.sequence, generator=generator)], seed)
    with torch.no_grad():
        predicted: Tensor = head(test.factors)
    return predicted


def _fitted(
    factors: Tensor, numbers: Tensor, seed: int, *, val: tuple[Tensor, Tensor] | None = None
) -> torch.nn.Module:
    head = new_head(lambda: QuantityHead(inputs=factors.shape[1]), seed=seed)
    return fit_head(
        head,
        (factors, numbers),
        loss=functional.l1_loss,
        epochs=_EPOCHS,
        batch_size=_BATCH,
        seed=seed,
        val=val,
    )


def _windows(
    model: Disentangler,
    dataset: SequenceDataset,
    read: SequenceDataset,
    values: Tensor,
    window: int,
    progress: Progress,
) -> _Windows:
    factors = encode_dataset(model, read, progress=progress)
    count, whole = values.shape
    dynamic = factors.dynamic.flatten(2)[:, : whole * window].reshape(count, whole, -1)
    static = factors.static.flatten(1)[:, None].expand(-1, whole, -1)
    ends = (torch.arange(whole) + 1) * window
    exists = (ends <= sequence_lengths(dataset)[:, None]).flatten()
    return _Windows(
        torch.cat([static, dynamic], dim=2).flatten(0, 1)[exists],
        values.flatten()[exists].float(),
        torch.arange(count).repeat_interleave(whole)[exists],
        window_values(dataset, window).flatten(0, 1)[exists],
    )


def _check(name: str, dataset: SequenceDataset, values: Tensor, window: int) -> None:
    expected = (len(dataset), dataset.shape[0] // window)
    if values.shape != expected or 0 in expected:
        raise InputError(
            f"{name} split: numbers of shape {tuple(values.shape)}; {expected[0]} sequences of "
            f"{dataset.shape[0]} steps have {expected[1]} windows of {window} each"
        )
    check_finite(values, f"{name} numbers")
