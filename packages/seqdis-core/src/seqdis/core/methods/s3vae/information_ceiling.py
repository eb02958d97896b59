"""The largest value that an estimated mutual information can take, and a warning to who trains at it."""

from __future__ import annotations

import logging
import math

from torch import Tensor

__all__ = ["SATURATED", "SaturationWarning", "information_ceiling"]

_logger = logging.getLogger(__name__)

SATURATED = 0.95
"""Share of the ceiling above which the estimate tells little."""
_EVERY = 100  # a look waits for the device


def information_ceiling(*, sequences: int, batch: int) -> float:
    """``ln NM`` in nats, the estimate of S3VAE's Eq. 8 where posteriors of neither factor overlap within a batch.

    There ``ln Σ_j q(z(x_i) | x_j)`` is ``ln q(z(x_i) | x_i)``, whose sums over both factors cancel: the estimate
    no longer depends on where the posteriors are. Where those of ``s`` alone are apart, its gradient on ``s`` is 0,
    and that on ``d`` brings the posteriors of different sequences together, whatever they tell of ``s``.

    Args:
        sequences: Number of training sequences, N.
        batch: Number of sequences of the batch, M.
    """
    return math.log(sequences * batch)


class SaturationWarning:
    """Warns once where the mutual information is above 0.95 of its ceiling, with what can be done about it."""

    def __init__(self) -> None:
        self._calls, self._told = 0, False

    def look(self, share: Tensor) -> None:
        """Look at the share of the ceiling, a scalar, at every hundredth training step."""
        self._calls += 1
        if self._told or self._calls % _EVERY:
            return
        value = float(share)
        if value > SATURATED:
            self._told = True
            _logger.warning(
                "s3vae: the mutual information is at %.3f of its ceiling ln NM, where it moves nothing but the spread "
                "of the dynamic factor; a smaller static_dim, larger batches, or information_into_dynamic=false",
                value,
            )
