"""A trained model on a device, as the options of a command ask for it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from seqdis.core.config import RunConfig, read_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.kind_config import switch_kind
from seqdis.core.priors.prior import Prior
from seqdis.core.priors.store import PRIOR_FOLDER, load_prior, model_digest

__all__ = ["config_of", "load_model", "open_prior", "pick_device"]


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
        sampler: Its name, in place of the model's own; the settings that both have stay.
        settings: ``key=value`` each, for :meth:`Disentangler.use`.

    Raises:
        InputError: See :meth:`Disentangler.from_pretrained`; or the method has no sampler to set, or
            there is no such sampler or setting.
    """
    target = pick_device(device)
    if not run.is_dir():
        raise InputError(f"{run}: no such run folder")
    model = Disentangler.from_pretrained(run, device=target)
    model.use(read_overrides(settings or []))
    if sampler is None and steps is None:
        return model
    if model.sampling is None:
        option = "--steps" if steps is not None else "--sampler"
        raise InputError(f"{option}: method {config_of(model).method!r} decodes without a sampler")
    chosen = model.sampling.config if sampler is None else switch_kind(model.sampling.config, sampler)
    model.sampling.use(chosen if steps is None else chosen.model_copy(update={"steps": steps}))
    return model


def open_prior(run: Path, model: Disentangler, changes: Mapping[str, Any] | None = None) -> Prior:
    """The prior that was fitted to this run's model, else the one that was learnt with it.

    Args:
        run: A run or checkpoint folder.
        model: Loaded from it.
        changes: New values of settings that act when drawing (:meth:`FittedPrior.use`).

    Raises:
        InputError: There is none, it is damaged, the model was trained again since, or a setting cannot be
            changed.
    """
    folder = run / PRIOR_FOLDER
    if folder.is_dir():
        fitted = load_prior(folder, model=model_digest(run), device=model.device)
        fitted.use(changes or {})
        return fitted
    own = model.learned_prior()
    if own is None:
        raise InputError(f"{run}: has no prior yet; fit one by `seqdis prior fit {run}`")
    if changes:
        raise InputError(f"prior: {next(iter(changes))!r}: the prior of this run was learnt with the model")
    return own


def config_of(model: Disentangler) -> RunConfig:
    """The configuration that a loaded model was built from.

    Raises:
        InputError: It was built by hand.
    """
    if model.run_config is None:
        raise InputError("this model was not built from a configuration")
    return model.run_config
