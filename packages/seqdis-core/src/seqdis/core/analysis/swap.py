"""Conditional swaps: which clips meet, and what comes out of two that do."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.analysis.encode import evaluating
from seqdis.core.data.sequence import SequenceBatch
from seqdis.core.disentangler import Disentangler, Progress
from seqdis.core.errors import InputError
from seqdis.core.random import RandomSource

__all__ = ["SwapResult", "swap_batches", "swap_pairs"]


def swap_pairs(n: int, *, seed: int = 0, count: int | None = None) -> list[tuple[int, int]]:
    """A fixed list of pairs ``(static, dynamic)`` of different clips out of ``n``.

    The pairs are neighbours on a random circle through all clips, so that each clip lends its
    static factor once and its dynamics once.

    Args:
        n: Number of clips.
        seed: Fixes the list.
        count: Only the first so many pairs; all ``n`` when omitted or larger.

    Raises:
        InputError: There are fewer than two clips, or ``count`` is not positive.
    """
    if n < 2 or (count is not None and count < 1):
        raise InputError(f"swaps need at least 2 clips and 1 pair; got {n} and {count}")
    circle = torch.randperm(n, generator=torch.Generator().manual_seed(seed)).tolist()
    return list(zip(circle, circle[1:] + circle[:1], strict=True))[:count]


@dataclass(frozen=True)
class SwapResult:
    """Two batches, their reconstructions and both swaps, each ``(B, V, *frame)`` in natural units.

    Attributes:
        a: The first input, ``x``.
        b: The second input, ``x̂``.
        a_reconstructed: From ``(s, d)``.
        b_reconstructed: From ``(ŝ, d̂)``.
        a_static_b_dynamic: From ``(s, d̂)``.
        b_static_a_dynamic: From ``(ŝ, d)``.
    """

    a: Tensor
    b: Tensor
    a_reconstructed: Tensor
    b_reconstructed: Tensor
    a_static_b_dynamic: Tensor
    b_static_a_dynamic: Tensor


def swap_batches(
    model: Disentangler,
    a: SequenceBatch,
    b: SequenceBatch,
    *,
    generator: RandomSource | None = None,
    progress: Progress | None = None,
) -> SwapResult:
    """Reconstruct two batches and swap their factors both ways.

    The noise, where the method inverts, is that of the sequence which lends the dynamics
    (DiffSDA, App. B.4).

    Args:
        model: Any method.
        a: ``B`` sequences.
        b: As many, or one for all (or all for one).
        generator: Of what the encoder and the decoder draw.
        progress: Called as the work advances.

    Raises:
        InputError: The batch sizes differ and neither is 1.
    """
    sizes = {len(a), len(b)}
    if sizes - {1, max(sizes)}:
        raise InputError(f"a swap needs equal batches or a batch of 1; got {len(a)} and {len(b)}")
    a, b = a.to(model.device), b.to(model.device)
    steps = [_share(progress, i, 6) for i in range(6)]
    with evaluating(model):
        fa = model.encode(a.x, mask=a.mask, observed=a.observed, generator=generator)
        fb = model.encode(b.x, mask=b.mask, observed=b.observed, generator=generator)
        na, nb = model.invert(a.x, fa, progress=steps[0]), model.invert(b.x, fb, progress=steps[1])
        return SwapResult(
            a=a.x,
            b=b.x,
            a_reconstructed=model.decode(fa, noise=na, generator=generator, progress=steps[2]),
            b_reconstructed=model.decode(fb, noise=nb, generator=generator, progress=steps[3]),
            a_static_b_dynamic=model.decode(
                fa.mix(fb), noise=_spread(nb, max(sizes)), generator=generator, progress=steps[4]
            ),
            b_static_a_dynamic=model.decode(
                fb.mix(fa), noise=_spread(na, max(sizes)), generator=generator, progress=steps[5]
            ),
        )


def _spread(noise: Tensor | None, size: int) -> Tensor | None:
    return None if noise is None else noise.expand(size, *noise.shape[1:])


def _share(progress: Progress | None, part: int, parts: int) -> Progress | None:
    if progress is None:
        return None
    return lambda done, total: progress(part * total + done, parts * total)
