"""All swaps of a few sequences: every static factor with every dynamic one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.disentangler import Disentangler, Progress
from seqdis.core.random import GeneratorLike, stack_generators
from seqdis.core.sequences import Sequences

__all__ = ["SwapMatrix", "swap_matrix"]


@dataclass(frozen=True)
class SwapMatrix:
    """K sequences and all K² pairs of their factors.

    Attributes:
        sources: ``(K, V, *frame)``.
        frames: ``(K, K, V, *frame)``; entry ``[i, j]`` has the static factor of source ``i`` and the dynamics of
            source ``j``, so that the diagonal holds the reconstructions.
    """

    sources: Tensor
    frames: Tensor


@torch.no_grad()
def swap_matrix(
    model: Disentangler,
    batch: Sequences,
    *,
    generator: GeneratorLike | None = None,
    progress: Progress | None = None,
) -> SwapMatrix:
    """Decode ``(s_i, d_j^{1:V})`` of all pairs; each sequence is encoded and inverted once.

    The noise, where the method inverts, is that of the sequence which lends the dynamics, as in
    :meth:`Disentangler.swap`.

    Args:
        model: In eval mode.
        batch: K sequences, ``(K, V, *frame)``.
        generator: For a decoder that draws; one for all, or one a pair.
        progress: Called as the work advances.
    """
    count = len(batch.x)
    rows = stack_generators(generator, count * count)

    def part(index: int) -> Progress | None:
        if progress is None:
            return None
        return lambda done, total: progress(index * total + done, (count + 1) * total)

    factors = model.encode(batch.x, mask=batch.mask, observed=batch.observed)
    noise = model.invert(batch.x, factors, progress=part(0))
    frames = []
    for index in range(count):
        mixed = factors[[index] * count].mix(factors)
        some = rows.part(slice(index * count, (index + 1) * count))
        frames.append(model.decode(mixed, noise=noise, generator=some, progress=part(index + 1)).cpu())
    return SwapMatrix(batch.x.cpu(), torch.stack(frames))
