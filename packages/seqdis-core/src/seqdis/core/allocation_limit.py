"""A bound on the numbers that a model's construction may ask for, checked before there is memory for them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from seqdis.core.errors import InputError

__all__ = ["AllocationLimit", "as_large_as"]

_FACTORIES = ("empty", "zeros", "ones", "full", "rand", "randn", "empty_strided")


_BESIDES = 1 << 20
"""Numbers that a construction may need besides those of its weights."""


def as_large_as(state: Mapping[str, Tensor], where: str | Path) -> AllocationLimit:
    """The limit for a model whose weights are these: what a configuration beside them claims takes no more memory.

    Args:
        state: The weights, by name.
        where: The file or folder that they come from, for the message.
    """
    held = sum(value.numel() for value in state.values())
    refusal = f"{where}: weights and configuration disagree: it needs more than {{most}} numbers; the weights are {held}"
    return AllocationLimit(2 * held + _BESIDES, refusal)


class AllocationLimit(TorchDispatchMode):
    """Refuses, in a ``with`` statement, to create tensors of more numbers in all than a limit.

    Args:
        most: Number of numbers, over all tensors that are created.
        refusal: The text of the error, in which ``{most}`` stands for the limit.

    Raises:
        InputError: A tensor would exceed it; it is not created.
    """

    def __init__(self, most: int, refusal: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch does not say its type
        self.created = 0
        self._most, self._refusal = most, refusal

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        if name in _FACTORIES and args and isinstance(args[0], list | tuple):
            self.created += math.prod(args[0])
            if self.created > self._most:
                raise InputError(self._refusal.format(most=self._most))
        return func(*args, **(kwargs or {}))
