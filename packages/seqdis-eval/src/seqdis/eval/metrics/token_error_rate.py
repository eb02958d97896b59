"""Token error rate: how much of what was said a recogniser gets wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from seqdis.core.analysis import bootstrap
from seqdis.core.errors import InputError
from seqdis.core.results import Metric

__all__ = ["edit_distance", "token_error_rate"]


def edit_distance(truth: Sequence[int], guess: Sequence[int]) -> int:
    """Fewest insertions, deletions and substitutions that turn one sequence into another (Levenshtein 1966).

    ``D_ij = min(D_{i−1,j} + 1, D_{i,j−1} + 1, D_{i−1,j−1} + [t_i ≠ g_j])``, a row at a time: the insertions within a
    row are a running minimum of ``D_ij − j``.

    Args:
        truth: Tokens.
        guess: Tokens.
    """
    columns = np.arange(len(guess) + 1)
    other = np.asarray(guess)
    row = columns
    for i, token in enumerate(truth, start=1):
        best = np.concatenate([[i], np.minimum(row[1:] + 1, row[:-1] + (other != token))])
        row = np.minimum.accumulate(best - columns) + columns
    return int(row[-1])


def token_error_rate(
    truth: Sequence[Sequence[int]],
    guess: Sequence[Sequence[int]],
    *,
    constant: Sequence[int] = (),
    generator: torch.Generator | None = None,
) -> Metric:
    """``Σ edit_distance(t, g) / Σ |t|`` over utterances: 0 is perfect; more than 1 where much is inserted.

    Its ``chance`` is the same figure for one fixed answer, and ``ci95`` a bootstrap over utterances.

    Args:
        truth: Tokens of each utterance.
        guess: Tokens of each utterance.
        constant: The fixed answer; nothing at all (a rate of 1) when omitted.
        generator: Of the bootstrap.

    Raises:
        InputError: There is no utterance, a truth is empty, or the numbers differ.
    """
    if not truth or len(truth) != len(guess) or not all(truth):
        empty = sum(not tokens for tokens in truth)
        raise InputError(
            f"a token error rate needs as many guesses as truths, none of them empty; got {len(guess)} guesses "
            f"of {len(truth)} truths, {empty} empty"
        )
    errors = torch.tensor(
        [edit_distance(t, g) for t, g in zip(truth, guess, strict=True)], dtype=torch.float64
    )
    trivial = sum(edit_distance(t, constant) for t in truth)
    lengths = torch.tensor([len(t) for t in truth], dtype=torch.float64)
    interval = bootstrap(
        lambda drawn: float(errors[drawn].sum() / lengths[drawn].sum()),
        len(truth),
        generator=generator or torch.Generator().manual_seed(0),
    )
    return Metric(
        value=float(errors.sum() / lengths.sum()),
        chance=trivial / float(lengths.sum()),
        ci95=interval,
        n=len(truth),
        higher_is_better=False,
    )
