"""Swaps of pairs, with the sources and the reconstructions beside them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from seqdis.core.analysis.encode import evaluating
from seqdis.core.capabilities import invert, mix_extra
from seqdis.core.coercion import as_sequences
from seqdis.core.data.steps import existing_steps
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.modality import Panel
from seqdis.core.natural_frames import natural_frames
from seqdis.core.progress import Progress, part_of
from seqdis.core.sequences import Sequences
from seqdis.core.starting_noise import NoiseChoice, choose_noise

__all__ = ["SwapResult", "swap", "swap_pairs"]


@dataclass(frozen=True)
class SwapResult:
    """N pairs of sequences ``a``, ``b`` with their reconstructions and swaps, each ``(N, V, *frame)``.

    What has the dynamics of a sequence is as long as that sequence; behind it lies padding.

    Attributes:
        a: First sequence of each pair.
        b: Second sequence of each pair.
        a_reconstructed: ``decode(encode(a))``.
        b_reconstructed: ``decode(encode(b))``.
        a_static_b_dynamic: Static factor (who or what) of ``a`` with the dynamics (what happens) of ``b``.
        b_static_a_dynamic: Static factor of ``b`` with the dynamics of ``a``.
        extra: Name of the one further factor that was swapped, or None where the whole dynamic side was.
        a_mask: True where a step of ``a`` exists, ``(N, V)``; None where all do.
        b_mask: True where a step of ``b`` exists, ``(N, V)``; None where all do.
    """

    a: Tensor
    b: Tensor
    a_reconstructed: Tensor
    b_reconstructed: Tensor
    a_static_b_dynamic: Tensor
    b_static_a_dynamic: Tensor
    extra: str | None = None
    a_mask: Tensor | None = None
    b_mask: Tensor | None = None

    def grid(self) -> list[list[Panel]]:
        """Titled rows for :meth:`~seqdis.core.modality.Modality.draw`, one column a pair."""
        kept, lent = ("static", "dynamic") if self.extra is None else ("all", self.extra)
        titles = ["A", "B", "A reconstructed", "B reconstructed"]
        titles += [f"{kept} A + {lent} B", f"{kept} B + {lent} A"]
        rows = zip(titles, self.named().values(), strict=True)
        return [[Panel(title, frames) for frames in value] for title, value in rows]

    def named(self) -> dict[str, list[Tensor]]:
        """The six sets of sequences, without padding, by the file names that the command line gives them."""
        # Where an extra alone is swapped, the steps are those of the sequence that keeps everything else.
        lent_a, lent_b = (self.a_mask, self.b_mask) if self.extra is None else (self.b_mask, self.a_mask)
        return {
            "source_a": existing_steps(self.a, self.a_mask),
            "source_b": existing_steps(self.b, self.b_mask),
            "reconstruction_a": existing_steps(self.a_reconstructed, self.a_mask),
            "reconstruction_b": existing_steps(self.b_reconstructed, self.b_mask),
            "swap_a_b": existing_steps(self.a_static_b_dynamic, lent_b),
            "swap_b_a": existing_steps(self.b_static_a_dynamic, lent_a),
        }


def swap(
    model: Disentangler,
    static: Any,
    dynamic: Any,
    *,
    noise: NoiseChoice = "dynamic",
    extra: str | None = None,
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> SwapResult:
    """Swap pairs of sequences in memory, both ways, with the reconstructions beside them.

    Args:
        model: Model of any method.
        static: Sequences ``a`` whose static factor is kept: anything that :func:`as_sequences` reads.
        dynamic: Sequences ``b`` whose dynamics are taken, as many as ``a``.
        noise: Noise that the swaps start from; see :func:`~seqdis.core.starting_noise.choose_noise`.
        extra: Name of the one further factor of the method to swap; the whole dynamic side when omitted.
        generator: Source of random draws, for a decoder that draws.
        progress: Function called as the work advances.

    Raises:
        InputError: The inputs cannot be encoded or do not match; see :func:`swap_pairs` and
            :meth:`Disentangler.encode`.
    """
    a, b = (
        as_sequences(data, frame_shape=model.frame_shape, value_range=model.value_range, name=name)
        for data, name in ((static, "static"), (dynamic, "dynamic"))
    )
    with evaluating(model):
        return swap_pairs(model, a, b, noise=noise, extra=extra, generator=generator, progress=progress)


@torch.no_grad()
def swap_pairs(
    model: Disentangler,
    a: Sequences,
    b: Sequences,
    *,
    noise: NoiseChoice = "dynamic",
    extra: str | None = None,
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> SwapResult:
    """Reconstruct and swap pairs in one pass: each sequence is encoded and inverted once.

    Reconstructions start from the inverted noise where the method inverts, and from a fresh draw where ``noise`` is
    ``"fresh"``.

    Args:
        model: Model in eval mode.
        a: N sequences, ``(N, V, *frame)``.
        b: N other sequences, ``(N, V', *frame)``; the shorter are padded.
        noise: Noise that the swaps start from, as in :meth:`Disentangler.swap`.
        extra: Name of the one further factor of the method to swap; the whole dynamic side when omitted.
        generator: Source of random draws, for a decoder that draws.
        progress: Function called as the work advances.

    Raises:
        InputError: The shapes of ``a`` and ``b`` differ in more than their steps, or the method has no such extra.
    """
    if len(a) != len(b) or a.x.shape[2:] != b.x.shape[2:]:
        raise InputError(f"pairs need equal shapes; got {tuple(a.x.shape)} and {tuple(b.x.shape)}")
    a, b = (sequences.padded(max(a.steps, b.steps)) for sequences in (a, b))
    first, second = model.encode(a), model.encode(b)
    inverted = None
    if noise != "fresh":
        both = Factors.cat([first, second])
        inverted = invert(model, Sequences.cat([a, b]), both, progress=part_of(progress, 0, 2))
    of_a, of_b = (None, None) if inverted is None else inverted.chunk(2)
    if extra is None:
        mixed = first.swap(second)
        starts = [choose_noise(noise, static=x, dynamic=y) for x, y in ((of_a, of_b), (of_b, of_a))]
    else:
        mixed = mix_extra(model, first, second, extra), mix_extra(model, second, first, extra)
        # The dynamics stay those of the sequence that keeps everything else.
        starts = [choose_noise(noise, static=x, dynamic=x) for x in (of_a, of_b)]
    # A mixture has no labels, and decoding needs none.
    factors = Factors.cat([replace(part, labels={}) for part in (first, second, *mixed)])
    known = [start for start in (of_a, of_b, *starts) if start is not None]
    decoded = model.decode(
        factors,
        noise=torch.cat(known) if known else None,
        generator=generator,
        progress=part_of(progress, 1, 2),
    ).cpu()
    rebuilt_a, rebuilt_b, a_b, b_a = decoded.chunk(4)
    shown_a, shown_b = (natural_frames(model, sequences).cpu() for sequences in (a, b))
    masks = [None if sequences.mask is None else sequences.mask.cpu() for sequences in (a, b)]
    return SwapResult(shown_a, shown_b, rebuilt_a, rebuilt_b, a_b, b_a, extra, *masks)
