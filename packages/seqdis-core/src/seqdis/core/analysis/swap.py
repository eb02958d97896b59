"""Swaps of pairs, with all that one wants to see beside them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.disentangler import Disentangler, Progress
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.modality import Panel
from seqdis.core.sequences import Sequences

__all__ = ["SwapResult", "swap_pairs"]


@dataclass(frozen=True)
class SwapResult:
    """N pairs of sequences ``a``, ``b`` and what the model makes of them, each ``(N, V, *frame)``.

    Attributes:
        a: Sources.
        b: Sources.
        a_reconstructed: ``decode(encode(a))``.
        b_reconstructed: ``decode(encode(b))``.
        a_static_b_dynamic: Who from ``a``, what happens from ``b``.
        b_static_a_dynamic: The other way round.
        extra: The one further factor that was swapped, where not the whole dynamic side was.
    """

    a: Tensor
    b: Tensor
    a_reconstructed: Tensor
    b_reconstructed: Tensor
    a_static_b_dynamic: Tensor
    b_static_a_dynamic: Tensor
    extra: str | None = None

    def grid(self) -> list[list[Panel]]:
        """Titled rows for :meth:`Modality.draw`, one column a pair."""
        kept, lent = ("static", "dynamic") if self.extra is None else ("all", self.extra)
        rows = {
            "A": self.a,
            "B": self.b,
            "A reconstructed": self.a_reconstructed,
            "B reconstructed": self.b_reconstructed,
            f"{kept} A + {lent} B": self.a_static_b_dynamic,
            f"{kept} B + {lent} A": self.b_static_a_dynamic,
        }
        return [[Panel(title, frames) for frames in value] for title, value in rows.items()]

    def named(self) -> dict[str, Tensor]:
        """All six by the file names that the command line gives them."""
        return {
            "source_a": self.a,
            "source_b": self.b,
            "reconstruction_a": self.a_reconstructed,
            "reconstruction_b": self.b_reconstructed,
            "swap_a_b": self.a_static_b_dynamic,
            "swap_b_a": self.b_static_a_dynamic,
        }


@torch.no_grad()
def swap_pairs(
    model: Disentangler,
    a: Sequences,
    b: Sequences,
    *,
    extra: str | None = None,
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> SwapResult:
    """Reconstruct and swap pairs in one pass: each sequence is encoded and inverted once.

    The noise, where the method inverts, is that of the sequence which lends the dynamics (DiffSDA,
    App. B.4), or keeps them where an extra alone is swapped, as in :meth:`Disentangler.swap`.

    Args:
        model: In eval mode.
        a: N sequences, ``(N, V, *frame)``.
        b: As many, of the same length.
        extra: Swap this one further factor of the method, and leave all others.
        generator: For a decoder that draws.
        progress: Called as the work advances.

    Raises:
        InputError: The shapes of the two differ, or the method has no such extra.
    """
    if a.x.shape != b.x.shape:
        raise InputError(f"pairs need equal shapes; got {tuple(a.x.shape)} and {tuple(b.x.shape)}")
    first, second = (model.encode(batch.x, mask=batch.mask, observed=batch.observed) for batch in (a, b))
    both = Factors.cat([first, second])
    noise = model.invert(torch.cat([a.x, b.x]), both, progress=_part(progress, 0))
    if extra is None:
        mixed = first.swap(second)
    else:
        mixed = model.mix_extra(first, second, extra), model.mix_extra(second, first, extra)
    factors = Factors.cat([first, second, *mixed])
    if noise is not None:
        of_a, of_b = noise.chunk(2)
        noise = torch.cat([of_a, of_b, *([of_b, of_a] if extra is None else [of_a, of_b])])
    decoded = model.decode(factors, noise=noise, generator=generator, progress=_part(progress, 1)).cpu()
    rebuilt_a, rebuilt_b, a_b, b_a = decoded.chunk(4)
    return SwapResult(a.x.cpu(), b.x.cpu(), rebuilt_a, rebuilt_b, a_b, b_a, extra)


def _part(progress: Progress | None, part: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, 2 * total)
