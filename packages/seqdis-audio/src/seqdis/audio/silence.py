"""Silence, the target that audio offers: a mark on the steps that hold next to no sound."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from seqdis.audio.completion import audio_options
from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.targets import Target

__all__ = ["TARGETS", "silent_steps"]


def silent_steps(frames: Tensor, *, below_db: float) -> Tensor:
    """1 where a step's power lies ``below_db`` under that of the recording's loudest step (S3VAE, Sec. 4.2).

    The power is that of all mel bands together, ``ln Σ_m e^{y_m}``.

    Args:
        frames: Log-mel frames, natural logarithm of power, ``(T, bins)``.
        below_db: Distance to the loudest step in decibels, positive.

    Returns:
        ``(T, 1)``, 0 or 1.
    """
    level = frames.logsumexp(dim=1, keepdim=True)
    return (level < level.max() - below_db * math.log(10) / 10).float()


def _silence(clip: Clip, data: DataConfig) -> Tensor:
    options = audio_options(data)
    return silent_steps(clip.frames, below_db=options.silence_db)


TARGETS: Mapping[str, Target] = {"silence": Target("whether a step is silent", _silence)}
