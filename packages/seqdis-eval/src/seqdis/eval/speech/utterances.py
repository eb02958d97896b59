"""Utterances: the recordings that a dataset's sequences were cut from, taken whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.analysis import evaluating, row_sources
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress

__all__ = [
    "Chunked",
    "EncodedUtterance",
    "SequenceEmbeddings",
    "UtteranceIndex",
    "chunked",
    "embed_sequences",
    "encode_utterances",
    "mean_over_steps",
    "utterances_of",
]

_BATCH_SIZE = 32
"""Utterances that are encoded in one pass; it does not change the result."""


@dataclass(frozen=True)
class UtteranceIndex:
    """The utterance that each sequence of a dataset was cut from.

    Attributes:
        numbers: Number of each sequence's utterance, ``(N,)``: from 0, in the order of their first sequences.
        recordings: The number of each utterance among the dataset's recordings, U of them.
    """

    numbers: Tensor
    recordings: tuple[int, ...]

    def mean(self, values: Tensor) -> Tensor:
        """The mean over the sequences of each utterance, ``(U, F)``, of one row a sequence, ``(N, F)``."""
        total = torch.zeros(len(self.recordings), values.shape[1], dtype=torch.float64)
        total.index_add_(0, self.numbers, values.double())
        return (total / self.numbers.bincount(minlength=len(total))[:, None]).float()

    def first(self, values: Tensor) -> Tensor:
        """The value of the first sequence of each utterance, ``(U,)``, of one value a sequence, ``(N,)``."""
        ordered = torch.empty(len(self.recordings), dtype=values.dtype)
        ordered[self.numbers.flip(0)] = values.flip(0)
        return ordered


def utterances_of(dataset: SequenceDataset) -> UtteranceIndex:
    """The utterances of a dataset; one that does not say what it was cut from has one a sequence."""
    recordings = dataset.recordings()
    if recordings is None:
        return UtteranceIndex(torch.arange(len(dataset)), tuple(range(len(dataset))))
    numbers: dict[int, int] = {}
    views = recordings.views(range(len(dataset)), 0)
    indices = [numbers.setdefault(view.recording, len(numbers)) for view in views]
    return UtteranceIndex(torch.tensor(indices), tuple(numbers))


@dataclass(frozen=True)
class SequenceEmbeddings:
    """One vector a sequence for each factor: ``static (N, S)``, and ``dynamic (N, D)``, its mean over steps."""

    static: Tensor
    dynamic: Tensor


def embed_sequences(
    model: Disentangler,
    dataset: SequenceDataset,
    *,
    batch_size: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
) -> SequenceEmbeddings:
    """Encode all sequences of a dataset, in order; the results lie on the CPU.

    Args:
        model: A model of any method.
        dataset: Steps that do not exist have no part in a mean.
        batch_size: Sequences a pass; it does not change the result.
        seed: Seed of a posterior that is sampled; each sequence has a stream of its own.
        progress: Called with sequences done and in all.
    """
    static, dynamic, total = [], [], len(dataset)
    with evaluating(model):
        for start in range(0, total, batch_size):
            rows = range(start, min(start + batch_size, total))
            batch = dataset.fetch(rows).to(model.device)
            factors = model.encode(batch, generator=row_sources(seed, rows))
            static.append(factors.static.flatten(1).cpu())
            dynamic.append(mean_over_steps(factors.dynamic.flatten(2), batch.mask).cpu())
            if progress is not None:
                progress(rows.stop, total)
    return SequenceEmbeddings(torch.cat(static), torch.cat(dynamic))


def mean_over_steps(values: Tensor, mask: Tensor | None) -> Tensor:
    """The mean ``(B, F)`` of ``(B, V, F)`` over the steps that exist, by ``mask (B, V)``."""
    if mask is None:
        return values.mean(1)
    there = mask[..., None].to(values.dtype)
    return (values * there).sum(1) / there.sum(1)


@dataclass(frozen=True)
class Chunked:
    """A recording as sequences of the length that a model takes.

    Attributes:
        chunks: Consecutive ones ``(C, V, *frame)``; the last one ends with the recording and may overlap.
        steps: Number of steps of the recording.
    """

    chunks: Tensor
    steps: int

    def join(self, parts: Tensor) -> Tensor:
        """Anything that each chunk has at each step, ``(C, V, …)``, as one sequence ``(T, …)``."""
        length = parts.shape[1]
        rest = self.steps - (len(parts) - 1) * length
        return torch.cat([*parts[:-1], parts[-1, length - rest :]])


def chunked(frames: Tensor, length: int) -> Chunked:
    """Cut a recording ``(T, *frame)`` into sequences of ``length`` steps.

    Raises:
        InputError: The recording is shorter than one sequence.
    """
    total = len(frames)
    if total < length:
        raise InputError(f"a recording of {total} steps; at least {length} are needed")
    starts = [*range(0, total - length, length), total - length]
    return Chunked(torch.stack([frames[start : start + length] for start in starts]), total)


@dataclass(frozen=True)
class EncodedUtterance:
    """An utterance and its factors at each of its T steps.

    Attributes:
        frames: ``(T, F)``, flattened.
        static: ``(T, S)``: that of a chunk stands at all of its steps.
        dynamic: ``(T, D)``.
    """

    frames: Tensor
    static: Tensor
    dynamic: Tensor


def encode_utterances(
    model: Disentangler,
    dataset: SequenceDataset,
    *,
    chosen: Sequence[int] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[EncodedUtterance]:
    """Encode recordings whole, chunk by chunk; the results lie on the CPU.

    Args:
        model: A model of any method.
        dataset: A dataset that says from which recordings its sequences were cut.
        chosen: Numbers of the recordings; all when omitted.
        seed: Seed of a posterior that is sampled; each chunk has a stream of its own.
        progress: Called with utterances done and in all.

    Raises:
        InputError: The dataset has no recordings, or one is shorter than a sequence.
    """
    recordings = dataset.recordings()
    if recordings is None:
        raise InputError("the data do not say what their sequences were cut from: there is no utterance")
    numbers = list(range(recordings.count) if chosen is None else chosen)
    encoded: list[EncodedUtterance] = []
    with evaluating(model):
        for start in range(0, len(numbers), _BATCH_SIZE):
            some = [
                chunked(recordings.read(i).frames, dataset.shape[0])
                for i in numbers[start : start + _BATCH_SIZE]
            ]
            encoded += _encode(model, some, numbers[start : start + _BATCH_SIZE], seed)
            if progress is not None:
                progress(len(encoded), len(numbers))
    return encoded


def _encode(
    model: Disentangler, some: Sequence[Chunked], numbers: Sequence[int], seed: int
) -> Iterator[EncodedUtterance]:
    x = torch.cat([one.chunks for one in some])
    # A stream of its own for each chunk, whatever the company: at most 2^20 chunks a recording.
    streams = [(n << 20) + i for n, one in zip(numbers, some, strict=True) for i in range(len(one.chunks))]
    factors = model.encode(x.to(model.device), generator=row_sources(seed, streams)).to("cpu")
    first = 0
    for one in some:
        last = first + len(one.chunks)
        static = factors.static[first:last].flatten(1)[:, None].expand(-1, x.shape[1], -1)
        yield EncodedUtterance(
            one.join(x[first:last]).flatten(1),
            one.join(static),
            one.join(factors.dynamic[first:last].flatten(2)),
        )
        first = last
