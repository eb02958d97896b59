"""Priors on disk: reading one of any kind, and checking which model it was fitted to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from seqdis.core.capabilities import learned_prior
from seqdis.core.config import Config, PriorConfig, parse_config
from seqdis.core.errors import InputError
from seqdis.core.pretrained import find_model_folder
from seqdis.core.priors.prior import FittedPrior, Prior
from seqdis.core.reading import read_json
from seqdis.core.registry import get_plugin, list_plugins

if TYPE_CHECKING:
    from seqdis.core.disentangler import Disentangler

__all__ = [
    "PRIOR_FOLDER",
    "get_prior",
    "load_prior",
    "model_digest",
    "open_prior",
    "prior_config",
    "read_about",
]

PRIOR_FOLDER = "prior"
"""Where a run keeps its prior."""


def get_prior(kind: str) -> type[FittedPrior]:
    """The class of one installed kind of prior.

    Raises:
        InputError: No installed distribution declares the kind; the message lists those that are installed.
    """
    prior: type[FittedPrior] = get_plugin("priors", kind)
    return prior


def prior_config(preset: PriorConfig, kind: str, changes: Mapping[str, Any]) -> Config:
    """The validated settings of a kind of prior: its defaults, the preset's if it names that kind, changes.

    Raises:
        InputError: The kind or a key is unknown, or a value is out of range.
    """
    options = preset.options if preset.kind == kind else {}
    return parse_config(get_prior(kind).config_class, {**options, **changes}, where=f"prior {kind}")


def model_digest(run: Path) -> str:
    """SHA-256 of a run's weights, which tells whether a prior was fitted to them."""
    with (find_model_folder(run) / "model.safetensors").open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_about(folder: Path) -> dict[str, Any]:
    """Read ``prior.json`` and check its format.

    Raises:
        InputError: The file is missing, is not JSON, is of no installed kind, or its facts are none.
    """
    path = folder / "prior.json"
    about = read_json(path, kind="a prior")
    kinds = list_plugins("priors")
    version = about.get("format") if isinstance(about, dict) else type(about).__name__
    if version not in [f"seqdis.prior.{kind}.1" for kind in kinds]:
        raise InputError(
            f"{path}: format {version!r:.80}; this version reads seqdis.prior.KIND.1 of {', '.join(kinds)}"
        )
    origin = about.get("about") or {}
    if not isinstance(origin, dict):
        raise InputError(
            f"{path}: about is {type(origin).__name__}; allowed: the origin of the prior by name"
        )
    return {**about, "about": origin}


def load_prior(
    folder: str | Path, *, model: str | None = None, device: torch.device | str = "cpu"
) -> FittedPrior:
    """Read a prior of any installed kind.

    Args:
        folder: A folder that :meth:`FittedPrior.save` wrote.
        model: Refuse one that was fitted to a model of another :func:`model_digest`.
        device: The device to put the prior on.

    Raises:
        InputError: A file is missing or damaged, or the prior belongs to other weights.
    """
    path = Path(folder)
    about = read_about(path)
    fitted_to = about["about"].get("model_sha256")
    if model is not None and fitted_to not in (None, model):
        raise InputError(f"{path}: was fitted to other weights than the model's; fit it again")
    kind = str(about["format"]).split(".")[2]
    return get_prior(kind).load(path, device=device)


def open_prior(run: Path, model: Disentangler, changes: Mapping[str, Any] | None = None) -> Prior:
    """The prior that was fitted to a run's model, else the one that was learnt with it.

    Args:
        run: A run or checkpoint folder.
        model: The model loaded from that folder.
        changes: New values of settings that act when drawing (:meth:`FittedPrior.use`).

    Raises:
        InputError: There is no prior, it is damaged, the model was trained again since, or a setting cannot
            be changed.
    """
    folder = run / PRIOR_FOLDER
    if folder.is_dir():
        fitted = load_prior(folder, model=model_digest(run), device=model.device)
        fitted.use(changes or {})
        return fitted
    own = learned_prior(model)
    if own is None:
        raise InputError(f"{run}: has no prior yet; fit one by `seqdis prior fit {run}`")
    if changes:
        raise InputError(f"prior: {next(iter(changes))!r}: the prior of this run was learnt with the model")
    return own
