"""A trained model on a device, as the options of a command ask for it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import torch

from seqdis.core.capabilities import DecodesByDiffusion, adjust
from seqdis.core.config import read_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.pretrained import config_of

__all__ = ["load_model", "pick_device"]


def pick_device(name: str | None) -> torch.device:
    """The device of that name, or the fastest one here when None.

    Of several processes started together, each takes the GPU that ``LOCAL_RANK`` numbers.

    Raises:
        InputError: There is no such device on this machine; lists those that are here.
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


def load_model(
    run: Path,
    *,
    device: str | None = None,
    steps: int | None = None,
    sampler: str | None = None,
    settings: Sequence[str] | None = None,
) -> Disentangler:
    """Load a run's model for inference.

    Args:
        run: A run or checkpoint folder.
        device: See :func:`pick_device`.
        steps: Noise levels of the sampler, in place of the model's own.
        sampler: Its kind, in place of the model's own.
        settings: ``key=value`` each, for :func:`~seqdis.core.capabilities.adjust`.

    Raises:
        InputError: See :meth:`Disentangler.from_pretrained`; or the method has no sampler to set, or
            no such setting.
    """
    chosen = pick_device(device)
    if not run.is_dir():
        raise InputError(f"{run}: no such run folder")
    model = Disentangler.from_pretrained(run, device=chosen)
    adjust(model, read_overrides(settings or []))
    changes = {name: value for name, value in (("steps", steps), ("kind", sampler)) if value is not None}
    if changes:
        if not isinstance(model, DecodesByDiffusion):
            option = "--steps" if steps is not None else "--sampler"
            raise InputError(f"{option}: method {config_of(model).method!r} decodes without a sampler")
        model.sampling.use(model.sampling.config.model_copy(update=changes))
    return model
