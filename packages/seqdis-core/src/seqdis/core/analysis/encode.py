"""Factors of a whole dataset."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn

from seqdis.core.capabilities import draw_factors
from seqdis.core.coercion import as_sequences
from seqdis.core.data.labels import Label, class_names
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors
from seqdis.core.progress import Progress
from seqdis.core.random import GeneratorStack, mix_seed

__all__ = ["encode", "encode_dataset", "evaluating", "named_labels", "row_sources"]


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a model in eval mode without gradients for a ``with`` block, and back in its own mode afterwards."""
    training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(training)


def row_sources(seed: int, indices: Sequence[int]) -> GeneratorStack:
    """One random generator for each sequence, fixed by the seed and the sequence's index alone."""
    return GeneratorStack.each([torch.Generator().manual_seed(mix_seed(seed, index)) for index in indices])


def named_labels(factors: Factors, labels: Mapping[str, Label]) -> Factors:
    """The same factors with the names of classes in place of their numbers, for each label whose meaning is known."""
    named = {
        name: class_names(labels[name], value) if name in labels else value
        for name, value in factors.labels.items()
    }
    return replace(factors, labels=named)


def encode_dataset(
    model: Disentangler,
    dataset: SequenceDataset,
    *,
    batch_size: int = 64,
    seed: int = 0,
    drawn: bool = False,
    progress: Progress | None = None,
) -> Factors:
    """Encode all sequences of a dataset, in order; the result lies on the CPU.

    Args:
        model: Model of any method; it stays in the mode (training or not) that it was in.
        dataset: Dataset to encode, as it is read at epoch 0.
        batch_size: Sequences a pass; it does not change the result.
        seed: Seed of a posterior that is sampled; each sequence has a random stream of its own.
        drawn: Draw from the distributions of a method that infers them, instead of taking their means.
        progress: Function called with the number of sequences done and that of all.
    """
    parts, total = [], len(dataset)
    with evaluating(model):
        for start in range(0, total, batch_size):
            indices = range(start, min(start + batch_size, total))
            batch, sources = dataset.fetch(indices), row_sources(seed, indices)
            factors = draw_factors(model, batch, generator=sources) if drawn else None
            if factors is None:
                factors = model.encode(batch, generator=sources)
            parts.append(named_labels(factors.to("cpu"), {**dataset.labels, **dataset.step_labels}))
            if progress is not None:
                progress(indices.stop, total)
    return Factors.cat(parts)


def encode(
    model: Disentangler, data: Any, *, batch_size: int = 64, seed: int = 0, progress: Progress | None = None
) -> Factors:
    """Encode a dataset or data in memory, a few sequences at a time; the result lies on the CPU.

    Args:
        model: Model of any method; it stays in the mode (training or not) that it was in.
        data: A :class:`SequenceDataset`, or anything that :func:`as_sequences` reads.
        batch_size: Sequences a pass; it does not change the result.
        seed: Seed of a posterior that is sampled; each sequence has a random stream of its own.
        progress: Function called with the number of sequences done and that of all.

    Raises:
        InputError: The data cannot be read as sequences of this model's frames; see :meth:`Disentangler.encode`.
    """
    if isinstance(data, SequenceDataset):
        return encode_dataset(model, data, batch_size=batch_size, seed=seed, progress=progress)
    sequences = as_sequences(data, frame_shape=model.frame_shape, value_range=model.value_range)
    parts, total = [], len(sequences)
    with evaluating(model):
        for start in range(0, total, batch_size):
            rows = range(start, min(start + batch_size, total))
            part = model.encode(sequences[rows.start : rows.stop], generator=row_sources(seed, rows))
            parts.append(part.to("cpu"))
            if progress is not None:
                progress(rows.stop, total)
    return Factors.cat(parts)
