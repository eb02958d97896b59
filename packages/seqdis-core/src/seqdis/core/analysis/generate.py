"""Sequences from drawn factors: unconditional generation, and swaps with one factor drawn."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.capabilities import decoded_part, invert
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors, Side
from seqdis.core.modality import Panel
from seqdis.core.priors.prior import Prior
from seqdis.core.progress import Progress, part_of
from seqdis.core.random import GeneratorLike, stack_generators
from seqdis.core.sequences import Sequences
from seqdis.core.starting_noise import choose_noise

__all__ = ["DrawnSwap", "Generated", "generate", "swap_drawn"]


@dataclass(frozen=True)
class Generated:
    """New sequences.

    Attributes:
        factors: What was drawn.
        frames: ``(N, V, *frame)``.
    """

    factors: Factors
    frames: Tensor


@torch.no_grad()
def generate(
    model: Disentangler,
    prior: Prior,
    count: int,
    *,
    generator: GeneratorLike,
    given: Factors | None = None,
    steps: int | None = None,
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Generated:
    """Draw ``(ŝ, d̂^{1:V})`` from the prior (DiffSDA, App. B.3), or ``d̂^{1:V}`` given ``s`` (BCD, App. A.2), and decode.

    Args:
        model: In eval mode.
        prior: The model's own, or fitted to its factors.
        count: Sequences; number 0 does not depend on it.
        generator: One for all, or one a sequence.
        given: One sequence that lends its static side to all; drawn when omitted.
        steps: V, where the prior draws sequences of any length; that of the training sequences when omitted,
            or of ``given``.
        batch_size: Sequences a pass.
        progress: Called as the work advances.

    Raises:
        InputError: ``count`` is below one, ``given`` does not hold one sequence, or the prior draws another
            length only.
    """
    if count < 1:
        raise InputError(f"count must be at least 1; got {count}")
    if given is not None and len(given) != 1:
        raise InputError(f"given must hold 1 sequence; got {len(given)}")
    rows = stack_generators(generator, count)
    pieces = range(0, count, batch_size)

    def piece(index: int) -> Progress:
        # Each counts as 1000: what is a step of its work differs from one to the next.
        def within(done: int, total: int) -> None:
            if progress is not None:
                progress(1000 * index + 1000 * done // total, 1000 * (1 + len(pieces)))

        return within

    if given is None:
        factors = prior.sample(count, generator=rows, steps=steps, progress=piece(0))
    else:
        factors = prior.sample_dynamic(given[[0] * count], generator=rows, steps=steps)
    parts = []
    for index, start in enumerate(pieces):
        some = slice(start, min(start + batch_size, count))
        known = factors[some].to(model.device)
        parts.append(model.decode(known, generator=rows.part(some), progress=piece(1 + index)).cpu())
        piece(1 + index)(1, 1)
    return Generated(factors.to("cpu"), torch.cat(parts))


@dataclass(frozen=True)
class DrawnSwap:
    """One sequence with one factor kept and the other drawn, several times.

    Attributes:
        kept: The side that stays.
        source: ``(V, *frame)``.
        reconstructed: ``decode(encode(source))``, ``(V, *frame)``.
        factors: Kept and drawn, N sequences.
        frames: ``(N, V, *frame)``.
    """

    kept: Side
    source: Tensor
    reconstructed: Tensor
    factors: Factors
    frames: Tensor

    def grid(self) -> list[list[Panel]]:
        """Titled rows for :meth:`Modality.draw`."""
        drawn = "dynamic" if self.kept == "static" else "static"
        rows = [[Panel("source", self.source)], [Panel("reconstructed", self.reconstructed)]]
        return rows + [
            [Panel(f"{self.kept} kept, {drawn} {i + 1}", frames)] for i, frames in enumerate(self.frames)
        ]


@torch.no_grad()
def swap_drawn(
    model: Disentangler,
    prior: Prior,
    batch: Sequences,
    *,
    keep: Side,
    count: int = 1,
    independent: bool = False,
    generator: GeneratorLike,
    progress: Progress | None = None,
) -> DrawnSwap:
    """An unconditional swap: one factor of a sequence stays, the other is drawn (DiffSDA, App. H.4).

    The decoder's noise is that of the source where its dynamics are kept, as in
    :meth:`Disentangler.swap`, and fresh where they are drawn.

    Args:
        model: In eval mode.
        prior: Fitted to this model's factors.
        batch: One sequence.
        keep: The side that stays.
        count: How many others to draw.
        independent: Draw a joint pair and keep one half of it, as the paper does, instead of drawing from
            the conditional.
        generator: One for all, or one a draw.
        progress: Called as the work advances.

    Raises:
        InputError: The batch does not hold one sequence, or ``count`` is below one.
    """
    if len(batch.x) != 1 or count < 1:
        raise InputError(
            f"a swap with a drawn factor takes 1 sequence and count ≥ 1; got {len(batch.x)} and {count}"
        )
    rows = stack_generators(generator, count)
    factors = model.encode(batch)

    given = decoded_part(model, factors)[[0] * count]
    draw = prior.sample_dynamic if keep == "static" else prior.sample_static
    drawn = draw(given, generator=rows, independent=independent).to(model.device)
    noise = invert(model, batch, factors, progress=part_of(progress, 0, 3))
    first = rows.part(slice(0, 1))
    known = model.decode(factors, noise=noise, generator=first, progress=part_of(progress, 1, 3))
    # What is drawn has no noise of its own: the source's goes with its dynamics, where these are kept.
    inverted = None if noise is None else noise.expand(count, *noise.shape[1:])
    start = choose_noise("dynamic", static=None, dynamic=inverted if keep == "dynamic" else None)
    frames = model.decode(drawn, noise=start, generator=rows, progress=part_of(progress, 2, 3))
    return DrawnSwap(keep, batch.x[0].cpu(), known[0].cpu(), drawn.to("cpu"), frames.cpu())
