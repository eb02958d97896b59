"""DNSMOS: the mean opinion score that a network predicts for a sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch

from seqdis.core.analysis import bootstrap_mean
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate

__all__ = ["DNSMOS", "OpinionScore", "mean_opinion"]

_RATE = 16000
_SHORTEST = 0.1
_WINDOW = int(9.01 * _RATE)


@dataclass(frozen=True)
class OpinionScore:
    """Predicted opinions from 1 (bad) to 5 (excellent).

    Attributes:
        p808: Quality as ITU-T P.808 asks for it (Reddy et al. 2021): the figure of DiffSDA's Tab. 12.
        signal: Score of the speech, higher with less distortion, ITU-T P.835 (Reddy et al. 2022).
        background: Score of the background, higher with less noise, P.835.
        overall: Overall score, P.835.
    """

    p808: float
    signal: float
    background: float
    overall: float


class DNSMOS:
    """The two networks of DNSMOS, which the package speechmos carries in its wheel.

    A sound is judged in windows of 9.01 s, one a second; a shorter one is repeated until it fills one window.

    Raises:
        InputError: speechmos, or a library that it needs, is not installed.
    """

    def __init__(self) -> None:
        try:
            from speechmos import dnsmos
        except ImportError as error:
            raise InputError(
                f"DNSMOS needs speechmos ({error}): pip install 'seqdis-eval[speech]'; it carries its networks"
            ) from error
        self._library: Any = dnsmos  # an extra: types must be the same with and without it

    def __call__(self, sound: Sound) -> OpinionScore:
        """The scores of one sound; what exceeds full scale is scaled down.

        Raises:
            InputError: The rate is not 16 kHz, the sound is shorter than 0.1 s, or it holds NaN or Inf.
        """
        if sound.rate != _RATE or sound.seconds < _SHORTEST:
            raise InputError(
                f"DNSMOS: {sound.seconds:.3g} s at {sound.rate} Hz; allowed: {_SHORTEST} s or more at {_RATE} Hz"
            )
        if not bool(torch.isfinite(sound.samples).all()):
            raise InputError("DNSMOS: the samples hold NaN or Inf; only finite values are allowed")
        samples = sound.samples.float().cpu()
        if len(samples) < _WINDOW:
            # The package doubles it until it is long enough, and then judges the same sound in up to seven windows.
            samples = samples.repeat(-(-_WINDOW // len(samples)))[:_WINDOW]
        scores = self._library.run((samples / samples.abs().max().clamp(min=1)).numpy(), _RATE)
        return OpinionScore(
            p808=float(scores["p808_mos"]),
            signal=float(scores["sig_mos"]),
            background=float(scores["bak_mos"]),
            overall=float(scores["ovrl_mos"]),
        )


def mean_opinion(scores: Sequence[OpinionScore], *, generator: torch.Generator) -> dict[str, Estimate]:
    """The mean of each score over sounds, with a bootstrap interval over them.

    Args:
        scores: Scores, at least one.
        generator: Random generator of the bootstrap.

    Returns:
        ``p808``, ``signal``, ``background``, ``overall``.

    Raises:
        InputError: There is no sound.
    """
    if not scores:
        raise InputError("a mean opinion needs at least one sound; got none")
    metrics = {}
    for name in (field.name for field in fields(OpinionScore)):
        values = torch.tensor([getattr(score, name) for score in scores], dtype=torch.float64)
        interval = bootstrap_mean(values, generator=generator)
        metrics[name] = Estimate(unit="score", value=float(values.mean()), ci95=interval, n=len(scores))
    return metrics
