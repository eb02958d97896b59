"""Fitting a prior to the factors of a trained run."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from seqdis.core.analysis.encode import encode_dataset
from seqdis.core.capabilities import codebook_of, decoded_part
from seqdis.core.data.latent_cache import open_latents
from seqdis.core.disentangler import Disentangler
from seqdis.core.executors.shard_folder import is_shard_folder
from seqdis.core.finite import check_finite
from seqdis.core.latent_settings import config_for_latents
from seqdis.core.pretrained import config_of
from seqdis.core.priors.store import PRIOR_FOLDER, get_prior, model_digest, prior_config
from seqdis.core.progress import Progress
from seqdis.core.registry import build_dataset
from seqdis.core.remembered_data import data_of_run
from seqdis.core.run_lock import writing_to

__all__ = ["FittedRun", "fit_prior_to_run"]


@dataclass(frozen=True)
class FittedRun:
    """A prior that was fitted and saved.

    Attributes:
        folder: Folder that it was saved in, ``RUN/prior``.
        kind: Name of the kind of prior, as ``seqdis list priors`` gives it.
        sequences: Number of sequences that it was fitted to.
        losses: Training loss of each epoch.
        seconds: Time that encoding and fitting took, in seconds.
    """

    folder: Path
    kind: str
    sequences: int
    losses: Tensor
    seconds: float


def fit_prior_to_run(
    run: Path,
    model: Disentangler,
    *,
    kind: str | None = None,
    changes: Mapping[str, Any] | None = None,
    root: Path | None = None,
    command: list[str] | None = None,
    bar: Callable[[str], AbstractContextManager[Progress | None]] = lambda text: nullcontext(),
) -> FittedRun:
    """Encode a run's training split and fit a prior to its factors; an earlier prior is replaced.

    Args:
        run: Folder of the run.
        model: Model that was loaded from this folder.
        kind: Name of an installed kind of prior; the preset's when omitted.
        changes: New values of the prior's settings.
        root: The dataset's folder; the one that the run was trained on when omitted, as
            :func:`~seqdis.core.remembered_data.data_of_run` finds it.
        command: Words of the command line that asked for the fit, kept with the prior.
        bar: Function that opens a progress bar with a title.

    Raises:
        FolderInUseError: Another process writes into the run.
        InputError: The kind or a setting is unknown, the data cannot be read, or a loss or weight is not finite.
    """
    with writing_to(run / PRIOR_FOLDER):
        return _fit(run, model, kind=kind, changes=changes or {}, root=root, command=command or [], bar=bar)


def _fit(
    run: Path,
    model: Disentangler,
    *,
    kind: str | None,
    changes: Mapping[str, Any],
    root: Path | None,
    command: list[str],
    bar: Callable[[str], AbstractContextManager[Progress | None]],
) -> FittedRun:
    started = time.perf_counter()
    config = config_of(model)
    chosen = kind or config.prior.kind
    settings = prior_config(config.prior, chosen, changes)
    root = data_of_run(run, config, root)
    if root is not None and is_shard_folder(root):
        config_for_latents(config, open_latents(root))
    data, seed = config.data, config.train.seed
    train_set = build_dataset(config.modality, data, "train", root=root, seed=seed, latents=True)
    with bar("encoding") as progress:
        factors = decoded_part(model, encode_dataset(model, train_set, progress=progress))
    fitted = get_prior(chosen).for_factors(
        settings, factors, codebook=codebook_of(model), device=model.device
    )
    with bar("fitting") as progress:
        losses = fitted.fit(factors, progress=progress)
    check_finite(losses, f"prior {chosen}: losses")
    about = {
        "model_sha256": model_digest(run),
        "command": shlex.join(command),
        "sequences": len(factors),
        "device": str(model.device),
        "seconds": round(time.perf_counter() - started, 1),
    }
    fitted.save(run / PRIOR_FOLDER, about=about)
    return FittedRun(run / PRIOR_FOLDER, chosen, len(factors), losses, time.perf_counter() - started)
