"""The devices of this machine, by name."""

from __future__ import annotations

import os

import torch

from seqdis.core.errors import InputError

__all__ = ["pick_device"]


def pick_device(name: str | None) -> torch.device:
    """The device of that name, or the fastest one here when None.

    Of several processes of one launch, each takes the GPU whose number is in ``LOCAL_RANK``.

    Raises:
        InputError: There is no such device on this machine; the message lists those that there are.
    """
    here = ["cpu", *(f"cuda:{index}" for index in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        here.append("mps")
    own = f"cuda:{os.environ.get('LOCAL_RANK', '0')}"
    if name is None:
        return torch.device(own if own in here else here[-1] if here[-1] == "mps" else "cpu")
    wanted = own if name == "cuda" else name
    if wanted not in here:
        raise InputError(f"device {name!r} is not on this machine; allowed here: {', '.join(here)}")
    return torch.device(wanted)
