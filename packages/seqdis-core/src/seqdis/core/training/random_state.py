"""Every global random state of a process as plain tensors: torch, CUDA, Python, NumPy."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite

__all__ = [
    "capture_random_state",
    "check_random_state",
    "isolated_random_state",
    "restore_random_state",
    "seed_all",
]

_WORDS = 624  # of a Mersenne twister


def seed_all(seed: int) -> None:
    """Seed torch (all devices), Python and NumPy's global generator."""
    torch.manual_seed(seed)
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - other people's code may draw from it


def capture_random_state() -> dict[str, Tensor]:
    """Copy all random states into tensors of fixed shapes, which a checkpoint stores without pickle."""
    version, words, gauss = random.getstate()
    _, key, position, has_gauss, cached = np.random.get_state()  # noqa: NPY002
    state = {
        "torch": torch.get_rng_state(),
        "python": torch.tensor([version, *words], dtype=torch.int64),
        "python_gauss": torch.tensor([gauss is not None, gauss or 0.0], dtype=torch.float64),
        "numpy": torch.tensor([*np.asarray(key).tolist(), position, has_gauss], dtype=torch.int64),
        "numpy_gauss": torch.tensor([cached], dtype=torch.float64),
    }
    if torch.cuda.is_available():
        state["cuda"] = torch.cuda.get_rng_state()
    return state


def check_random_state(state: Mapping[str, Tensor], *, where: str) -> None:
    """Refuse what is not of the kind that :func:`capture_random_state` copies.

    Args:
        state: Tensors of one process, by name.
        where: The file that they come from, for the message.

    Raises:
        InputError: A state is missing, or of another type or shape, or out of range; those of a device may be missing.
    """
    for name, expected in capture_random_state().items():
        value = state.get(name)
        if value is None and name == "cuda":
            continue
        received = "absent" if value is None else f"{value.dtype} {tuple(value.shape)}"
        wanted = f"{expected.dtype} {tuple(expected.shape)}"
        if received != wanted:
            raise InputError(f"{where}: the state {name} is {received}; allowed: {wanted}")
        if value is not None and value.is_floating_point():
            check_finite(value, f"{where}: {name}")
    # NumPy reads from wherever the position says.
    position = int(state["numpy"][-2])
    if not 0 <= position <= _WORDS:
        raise InputError(f"{where}: the position of numpy is {position}; allowed: 0 to {_WORDS}")


def restore_random_state(state: Mapping[str, Tensor]) -> None:
    """Restore the states that :func:`capture_random_state` copied; those of a device that is absent are skipped."""
    # torch reads the state from the start of the storage: a row of a larger tensor must be copied out.
    torch.set_rng_state(state["torch"].clone())
    version, *words = state["python"].tolist()
    has, gauss = state["python_gauss"].tolist()
    random.setstate((version, tuple(words), gauss if has else None))
    *key, position, has_gauss = state["numpy"].tolist()
    words32 = np.array(key, dtype=np.uint32)
    np.random.set_state(("MT19937", words32, position, has_gauss, state["numpy_gauss"].item()))  # noqa: NPY002
    if "cuda" in state and torch.cuda.is_available():
        torch.cuda.set_rng_state(state["cuda"].clone())


@contextlib.contextmanager
def isolated_random_state() -> Iterator[None]:
    """Restore all random states at the end of a ``with`` block, whatever was drawn inside."""
    state = capture_random_state()
    try:
        yield
    finally:
        restore_random_state(state)
