"""Token error rate: how much of what was said a recogniser gets wrong."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from rapidfuzz.distance import Levenshtein

from seqdis.core.analysis import bootstrap
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate

__all__ = ["token_error_rate"]


def token_error_rate(
    truth: Sequence[Sequence[int]],
    guess: Sequence[Sequence[int]],
    *,
    constant: Sequence[int] = (),
    generator: torch.Generator | None = None,
) -> Estimate:
    """``Σ distance(t, g) / Σ |t|`` over utterances: 0 is perfect; more than 1 where much is inserted.

    The distance is Levenshtein's (1966), by rapidfuzz: the fewest insertions, deletions and substitutions that
    turn ``t`` into ``g``.

    Its ``chance`` is the same figure for one fixed answer, and ``ci95`` a bootstrap over utterances.

    Args:
        truth: Tokens of each utterance.
        guess: Tokens of each utterance.
        constant: The fixed answer; nothing at all (a rate of 1) when omitted.
        generator: Random generator of the bootstrap.

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
        [Levenshtein.distance(t, g) for t, g in zip(truth, guess, strict=True)], dtype=torch.float64
    )
    trivial = sum(Levenshtein.distance(t, constant) for t in truth)
    lengths = torch.tensor([len(t) for t in truth], dtype=torch.float64)
    interval = bootstrap(
        lambda drawn: float(errors[drawn].sum() / lengths[drawn].sum()),
        len(truth),
        generator=generator or torch.Generator().manual_seed(0),
    )
    return Estimate(
        unit="share",
        value=float(errors.sum() / lengths.sum()),
        chance=trivial / float(lengths.sum()),
        ci95=interval,
        n=len(truth),
        direction="lower",
    )
