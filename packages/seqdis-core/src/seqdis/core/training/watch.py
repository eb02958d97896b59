"""Stops a run whose loss is no longer a number, without waiting for the device at every step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdis.core.errors import InputError

__all__ = ["FiniteWatch"]

_NEVER = 2**62
_SHOWN = 16


class FiniteWatch:
    """Remembers on the device the first step whose loss or gradient was not finite.

    Args:
        device: The device on which losses are computed.
        at_once: Whether to check at every step, which costs nothing on a CPU and a wait elsewhere; else only
            when :meth:`check` is called, which is before anything is logged or saved.
    """

    def __init__(self, device: torch.device, *, at_once: bool) -> None:
        self._at_once = at_once
        self._first = torch.full((2,), _NEVER, dtype=torch.int64, device=device)
        self._keys: dict[int, Sequence[str]] = {}

    def note(self, step: int, loss: Tensor, gradient_norm: Tensor | None, keys: Sequence[str]) -> None:
        """Take in one step, before its update.

        Args:
            step: Number of the step, counted from 1.
            loss: The loss of this process.
            gradient_norm: Norm of the gradient over all processes; None where a gradient may overflow
                (float16: the update is skipped and the scale lowered).
            keys: Names of the sequences that this process read.

        Raises:
            InputError: The loss or gradient is not finite and ``at_once`` is set, as in :meth:`check`.
        """
        self._keys[step] = keys
        values = torch.stack(
            [loss.detach(), loss.detach() if gradient_norm is None else gradient_norm.detach()]
        )
        bad = torch.where(torch.isfinite(values), _NEVER, step)
        torch.minimum(self._first, bad, out=self._first)
        if self._at_once:
            self.check()

    def check(self) -> None:
        """Wait for the device and look.

        Raises:
            InputError: Names the first bad step and the keys of its batch.
        """
        loss, gradient = self._first.tolist()
        step = min(loss, gradient)
        if step == _NEVER:
            self._keys.clear()
            return
        what = "loss" if loss == step else "gradient"
        keys = self._keys.get(step, ())
        more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
        raise InputError(f"step {step}: the {what} is not finite; batch: {', '.join(keys[:_SHOWN])}{more}")
