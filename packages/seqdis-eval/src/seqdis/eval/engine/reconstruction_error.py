"""Reconstruction error in natural units."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdis.core.capabilities import inverts
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.metric import Estimate, Metrics
from seqdis.core.progress import Progress, part_of
from seqdis.core.starting_noise import ReconstructionNoise
from seqdis.eval.engine.batches import batches, reconstructions
from seqdis.eval.metrics.squared_error import clip_errors, entry_weights, mean_squared_error

__all__ = ["clip_errors", "mean_frame", "measure_reconstruction", "reconstruction_mse"]


def mean_frame(dataset: SequenceDataset, *, batch_size: int = 256) -> Tensor:
    """The mean of every entry of a frame over the measured steps of all clips, ``(*frame)``."""
    total = torch.zeros(dataset.shape[1:], dtype=torch.float64)
    count = torch.zeros_like(total)
    for _, batch in batches(dataset, size=batch_size):
        seen = entry_weights(batch)
        total += (batch.x.double() * seen).sum((0, 1))
        count += seen.sum((0, 1))
    return total / count.clamp(min=1)


def reconstruction_mse(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    noise: ReconstructionNoise = "inverted",
    indices: Sequence[int] | None = None,
    seed: int = 0,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Estimate:
    """Mean over test clips of ``mean (x − x̂)²`` over measured entries, ``x̂`` being the reconstruction.

    Its ``chance`` is the same figure for the training split's mean frame as a guess, and ``ci95`` a
    bootstrap over clips.

    Args:
        model: Trained model of any method.
        train_set: Training set, whose mean frame is the baseline.
        test_set: Sequences that are reconstructed.
        noise: Starting noise, where the method decodes from noise.
        indices: Only these clips of it.
        seed: Seed of the method's draws; each clip has a stream of its own.
        batch_size: Clips a pass; it does not change the result.
        progress: Called with clips done and in all.

    Raises:
        InputError: No clip has a measured entry.
    """
    chosen = list(range(len(test_set)) if indices is None else indices)
    baseline_guess = mean_frame(train_set)
    errors, baseline = [], []
    for made in reconstructions(
        model, test_set, chosen, noise=noise, seed=seed, batch_size=batch_size, progress=progress
    ):
        errors.append(clip_errors(made.source, made.frames))
        baseline.append(clip_errors(made.source, baseline_guess))
    error, chance = (torch.cat(parts) if parts else torch.empty(0) for parts in (errors, baseline))
    return mean_squared_error(error, chance, generator=torch.Generator().manual_seed(seed))


def measure_reconstruction(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    names: tuple[str, str] = ("reconstruction_mse", "decoding_mse"),
    indices: Sequence[int] | None = None,
    seed: int = 0,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Metrics:
    """The error of reconstructions; of a method that inverts, also from fresh noise: ``decoding_mse``.

    The inverted noise carries whatever the factors lack, so that a model that has learnt nothing reconstructs by it;
    the error from fresh noise shows the factors and nothing else. See :func:`reconstruction_mse`.

    Args:
        model: Trained model of any method.
        train_set: The training set, for the baseline.
        test_set: The sequences that are reconstructed.
        names: Names of the two figures.
        indices: Only these clips of it.
        seed: Seed of the method's draws; each clip has a stream of its own.
        batch_size: Clips a pass; it does not change the result.
        progress: Called with clips done and in all.

    Raises:
        InputError: No clip has a measured entry.
    """
    kinds: tuple[ReconstructionNoise, ...] = ("inverted", "fresh") if inverts(model) else ("inverted",)
    errors = {
        name: reconstruction_mse(
            model, train_set, test_set, noise=noise, indices=indices, seed=seed, batch_size=batch_size,
            progress=part_of(progress, number, len(kinds)),
        )
        for number, (name, noise) in enumerate(zip(names, kinds, strict=False))
    }  # fmt: skip
    return Metrics.of(errors, role="reconstruction")
