"""The one loop that takes a dataset's clips batch by batch, moves them to the model and runs it on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from seqdis.core.analysis import evaluating, row_sources
from seqdis.core.capabilities import inverts
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.progress import Progress
from seqdis.core.sequences import Sequences
from seqdis.core.starting_noise import ReconstructionNoise
from seqdis.eval.engine.progress import stage

__all__ = [
    "Noise",
    "Reconstructed",
    "Swapped",
    "batches",
    "both_reconstructions",
    "chosen_clips",
    "reconstruct_clips",
    "reconstructions",
    "swaps",
]

Noise = Literal["dynamic", "static", "fresh"]
"""Whose inverted noise a swap starts from: the clip that lends the dynamics, the other one, or none at all."""


@dataclass(frozen=True)
class Reconstructed:
    """A batch and what the model makes of it.

    Attributes:
        rows: Indices of the clips in their dataset.
        source: The clips, on the CPU.
        frames: Reconstructions of the clips, on the CPU.
    """

    rows: Sequence[int]
    source: Sequences
    frames: Tensor


@dataclass(frozen=True)
class Swapped:
    """A batch of swaps and the clips that they were made of.

    Attributes:
        static: The clips that lend the static factor, on the CPU.
        dynamic: The clips that lend the dynamics, on the CPU.
        frames: Frames of the swaps, on the CPU.
    """

    static: Sequences
    dynamic: Sequences
    frames: Tensor


def chosen_clips(total: int, count: int | None, *, seed: int) -> list[int]:
    """``count`` different clips of ``total``, fixed by the seed, in ascending order; all when omitted."""
    order = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
    return sorted(order[: count or total].tolist())


def batches(
    dataset: SequenceDataset, indices: Sequence[int] | None = None, *, size: int = 256
) -> Iterator[tuple[Sequence[int], Sequences]]:
    """The clips of a dataset in batches, each with its indices; all of them when ``indices`` is omitted."""
    every: Sequence[int] = range(len(dataset)) if indices is None else indices
    for start in range(0, len(every), size):
        rows = every[start : start + size]
        yield rows, dataset.fetch(rows)


def reconstruct_clips(
    model: Disentangler,
    source: Sequences,
    rows: Sequence[int],
    *,
    seed: int,
    noise: ReconstructionNoise = "inverted",
) -> Tensor:
    """The reconstructions of a batch, on the CPU; each clip has a stream of draws of its own."""
    on_device = source.to(model.device)
    with evaluating(model):
        return model.reconstruct(on_device, noise=noise, generator=row_sources(seed, rows)).cpu()


def both_reconstructions(
    model: Disentangler, source: Sequences, rows: Sequence[int], *, seed: int
) -> dict[str, Tensor]:
    """The reconstructions of a batch by what they start from: of a method that inverts, two; else one, without a name."""
    if not inverts(model):
        return {"": reconstruct_clips(model, source, rows, seed=seed)}
    noises: tuple[ReconstructionNoise, ...] = get_args(ReconstructionNoise)
    return {
        f"{noise} noise": reconstruct_clips(model, source, rows, seed=seed, noise=noise) for noise in noises
    }


def reconstructions(
    model: Disentangler,
    dataset: SequenceDataset,
    indices: Sequence[int],
    *,
    noise: ReconstructionNoise = "inverted",
    seed: int = 0,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Iterator[Reconstructed]:
    """Encode and decode clips of a dataset, batch by batch.

    Args:
        model: The model of any method that reconstructs.
        dataset: Dataset that the clips are taken from.
        indices: Indices of the clips in the dataset.
        noise: Starting noise, where the method decodes from noise.
        seed: Seed of the method's draws; each clip has a stream of its own.
        batch_size: Clips a pass; it does not change the result.
        progress: Called with clips done and in all.
    """
    done = 0
    for rows, source in batches(dataset, indices, size=batch_size):
        yield Reconstructed(rows, source, reconstruct_clips(model, source, rows, seed=seed, noise=noise))
        done += len(rows)
        if progress is not None:
            progress(done, len(indices))


def swaps(
    model: Disentangler,
    dataset: SequenceDataset,
    pairs: Sequence[tuple[int, int]],
    *,
    noise: Noise = "dynamic",
    seed: int = 0,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Iterator[Swapped]:
    """Swap the factors of clips of a dataset, batch by batch.

    Args:
        model: The model of any method that swaps.
        dataset: Dataset that the clips are taken from.
        pairs: Indices of the clips that lend the static factor and the dynamics.
        noise: Starting noise of a swap, where the method decodes from noise.
        seed: Seed of the method's draws; each swap has a stream of its own.
        batch_size: Swaps a pass; it does not change the result.
        progress: Called as the work advances.
    """
    for start in range(0, len(pairs), batch_size):
        some = pairs[start : start + batch_size]
        stop = start + len(some)
        static, dynamic = (dataset.fetch([pair[i] for pair in some]) for i in range(2))
        lender, mover = static.to(model.device), dynamic.to(model.device)
        with evaluating(model):
            frames = model.swap(
                lender, mover, noise=noise, generator=row_sources(seed, range(start, stop)),
                progress=stage(progress, start / len(pairs), stop / len(pairs)),
            ).cpu()  # fmt: skip
        yield Swapped(static, dynamic, frames)
