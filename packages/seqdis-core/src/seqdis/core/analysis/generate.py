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
from seqdis.core.natural_frames import natural_frames
from seqdis.core.priors.prior import Prior
from seqdis.core.progress import Progress, part_of
from seqdis.core.random import GeneratorLike, stack_generators
from seqdis.core.sequences import Sequences
from seqdis.core.starting_noise import choose_noise

__all__ = ["DrawnSwap", "Generated", "generate", "swap_drawn"]


@dataclass(frozen=True)
class Generated:
    """New sequences and the factors that they were decoded from.

    Attributes:
        factors: Factors that were drawn from the prior, of N sequences.
        frames: The decoded sequences, ``(N, V, *frame)``.
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
        model: Model in eval mode.
        prior: Prior that was learnt with the model, or fitted to its factors.
        count: Number of sequences N; the first one is the same whatever N is.
        generator: Source of random draws: one generator for all sequences, or one for each.
        given: Factors of one sequence whose static side all new ones get; drawn when omitted.
        steps: Number of steps V, for a prior that draws sequences of any length; that of ``given`` or of the
            training sequences when omitted.
        batch_size: Sequences a pass.
        progress: Function called as the work advances.

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
        # Each piece counts as 1000: the prior and the decoder count their own steps differently.
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
        kept: The side that stays, ``"static"`` or ``"dynamic"``.
        source: The sequence itself, ``(V, *frame)``.
        reconstructed: ``decode(encode(source))``, ``(V, *frame)``.
        factors: Factors of the N swaps, the kept side and the drawn one.
        frames: The decoded swaps, ``(N, V, *frame)``.
    """

    kept: Side
    source: Tensor
    reconstructed: Tensor
    factors: Factors
    frames: Tensor

    def grid(self) -> list[list[Panel]]:
        """Titled rows for :meth:`~seqdis.core.modality.Modality.draw`."""
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
        model: Model in eval mode.
        prior: Prior that was learnt with the model, or fitted to its factors.
        batch: One sequence, ``(1, V, *frame)``.
        keep: The side that stays, ``"static"`` or ``"dynamic"``.
        count: Number of draws of the other side.
        independent: Draw a joint pair and keep one half of it, as the paper does, instead of drawing from
            the conditional.
        generator: Source of random draws: one generator for all draws, or one for each.
        progress: Function called as the work advances.

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
    # A drawn factor comes with no noise: the source's noise is used where the source's dynamics are kept.
    inverted = None if noise is None else noise.expand(count, *noise.shape[1:])
    start = choose_noise("dynamic", static=None, dynamic=inverted if keep == "dynamic" else None)
    frames = model.decode(drawn, noise=start, generator=rows, progress=part_of(progress, 2, 3))
    shown = natural_frames(model, batch)[0].cpu()
    return DrawnSwap(keep, shown, known[0].cpu(), drawn.to("cpu"), frames.cpu())
