"""All swaps of a few sequences: every static factor with every dynamic one."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.capabilities import invert
from seqdis.core.data.steps import existing_steps
from seqdis.core.disentangler import Disentangler
from seqdis.core.natural_frames import natural_frames
from seqdis.core.progress import Progress, part_of
from seqdis.core.random import GeneratorLike, stack_generators
from seqdis.core.sequences import Sequences
from seqdis.core.starting_noise import NoiseChoice, choose_noise

__all__ = ["SwapMatrix", "swap_matrix"]


@dataclass(frozen=True)
class SwapMatrix:
    """K sequences and all K² pairs of their factors.

    Attributes:
        sources: The K sequences, ``(K, V, *frame)``.
        frames: The swaps, ``(K, K, V, *frame)``; entry ``[i, j]`` has the static factor of source ``i`` and the
            dynamics of source ``j``, so that the diagonal holds the reconstructions.
        mask: True where a step of a source exists, ``(K, V)``; None where all do.
    """

    sources: Tensor
    frames: Tensor
    mask: Tensor | None = None

    def source(self, index: int) -> Tensor:
        """One source without padding, ``(V_i, *frame)``."""
        return existing_steps(self.sources[index : index + 1], self._exists(index))[0]

    def swap(self, static: int, dynamic: int) -> Tensor:
        """One swap without padding, as long as the source of its dynamics, ``(V_j, *frame)``."""
        return existing_steps(self.frames[static, dynamic][None], self._exists(dynamic))[0]

    def _exists(self, index: int) -> Tensor | None:
        return None if self.mask is None else self.mask[index : index + 1]


@torch.no_grad()
def swap_matrix(
    model: Disentangler,
    batch: Sequences,
    *,
    noise: NoiseChoice = "dynamic",
    generator: GeneratorLike | None = None,
    progress: Progress | None = None,
) -> SwapMatrix:
    """Decode ``(s_i, d_j^{1:V})`` of all pairs; each sequence is encoded and inverted once.

    Args:
        model: Model in eval mode.
        batch: K sequences, ``(K, V, *frame)``.
        noise: Noise that each pair starts from, as in :meth:`Disentangler.swap`.
        generator: Source of random draws, for a decoder that draws: one generator for all pairs, or one for each.
        progress: Function called as the work advances.
    """
    count = len(batch.x)
    rows = stack_generators(generator, count * count)

    factors = model.encode(batch)
    inverted = None
    if noise != "fresh":
        inverted = invert(model, batch, factors, progress=part_of(progress, 0, count + 1))
    frames = []
    for index in range(count):
        mixed = factors[[index] * count].mix(factors)
        some = rows.part(slice(index * count, (index + 1) * count))
        own = None if inverted is None else inverted[[index] * count]
        decoded = model.decode(
            mixed,
            noise=choose_noise(noise, static=own, dynamic=inverted),
            generator=some,
            progress=part_of(progress, index + 1, count + 1),
        )
        frames.append(decoded.cpu())
    mask = None if batch.mask is None else batch.mask.cpu()
    return SwapMatrix(natural_frames(model, batch).cpu(), torch.stack(frames), mask)
