"""Modalities, methods, presets and samplers, found by entry point.

A distribution declares in its ``pyproject.toml``::

    [project.entry-points."seqdis.modalities"]
    video = "seqdis.video.modality:VideoModality"

    [project.entry-points."seqdis.methods"]
    mymethod = "mypackage:MyMethod"

    [project.entry-points."seqdis.samplers"]
    mysampler = "mypackage:MySampler"

Nothing is imported before it is asked for.
"""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING

from seqdis.core.errors import InputError, unknown_name
from seqdis.core.plugins import get_plugin, list_plugins
from seqdis.core.presets import get_preset, list_presets

if TYPE_CHECKING:
    from seqdis.core.config import DataConfig
    from seqdis.core.data.sequence_dataset import SequenceDataset
    from seqdis.core.diffusion.samplers.base import Sampler
    from seqdis.core.disentangler import Disentangler
    from seqdis.core.modality import DatasetSpec, Modality

__all__ = [
    "build_dataset",
    "data_root",
    "get_dataset",
    "get_method",
    "get_modality",
    "get_plugin",
    "get_preset",
    "get_sampler",
    "list_methods",
    "list_modalities",
    "list_plugins",
    "list_presets",
    "list_samplers",
]


def list_modalities() -> list[str]:
    """Names of the installed modalities."""
    return list_plugins("modalities")


@functools.cache
def get_modality(name: str) -> Modality:
    """One installed modality; see :func:`get_plugin` for errors."""
    from seqdis.core.modality import Modality

    plugin = get_plugin("modalities", name)
    modality = plugin()
    if not isinstance(modality, Modality):
        raise InputError(f"modality {name!r}: its entry point must name a Modality; got {plugin!r}")
    return modality


def list_methods() -> list[str]:
    """Names of the installed methods."""
    return list_plugins("methods")


def get_method(name: str) -> type[Disentangler]:
    """The class of one installed method; see :func:`get_plugin` for errors."""
    method: type[Disentangler] = get_plugin("methods", name)
    return method


def list_samplers() -> list[str]:
    """Names of the installed samplers."""
    return list_plugins("samplers")


def get_sampler(name: str) -> type[Sampler]:
    """The class of one installed sampler; see :func:`get_plugin` for errors."""
    sampler: type[Sampler] = get_plugin("samplers", name)
    return sampler


def get_dataset(modality: str, name: str) -> DatasetSpec:
    """One named dataset of a modality.

    Raises:
        InputError: The modality does not have the dataset.
    """
    datasets = get_modality(modality).datasets()
    if name not in datasets:
        raise unknown_name(f"{modality} dataset", name, [*datasets, "folder"])
    return datasets[name]


def data_root(spec: DatasetSpec, given: Path | None = None) -> Path | None:
    """The folder of a dataset: the given one, else ``$SEQDIS_DATA/<folder>``; None if generated.

    Raises:
        InputError: There is no such folder; the message says where the data are expected and where to get
            them.
    """
    if spec.folder is None:
        return None
    base = os.environ.get("SEQDIS_DATA")
    root = given or (Path(base) / spec.folder if base else None)
    if root is None or not root.is_dir():
        looked = f"{root} is not a folder" if root else "neither --data nor SEQDIS_DATA is set"
        raise InputError(f"dataset {spec.name!r}: {looked}; its source: {spec.source}")
    return root


def build_dataset(
    modality: str,
    data: DataConfig,
    split: str,
    *,
    root: Path | None = None,
    seed: int = 0,
    latents: bool = False,
) -> SequenceDataset:
    """Make one split of a run's data: a named dataset, or a folder of the user's own files.

    Args:
        modality: The modality's name.
        data: The name of the dataset, and the shape of its sequences.
        split: ``"train"``, ``"val"`` or ``"test"``.
        root: The folder of the data, if they do not lie below ``SEQDIS_DATA``.
        seed: Seed of generated data and random views.
        latents: Whether a folder of latents gives the latents; else it stands for the files that they were made from.

    Raises:
        InputError: The dataset is unknown or absent, the folder is empty, a file cannot be used,
            or the split is unknown.
    """
    if split not in ("train", "val", "test"):
        raise unknown_name("split", split, ["train", "val", "test"])
    if data.dataset == "folder":
        from seqdis.core.data.folder import folder_sequences
        from seqdis.core.data.latent_cache import files_behind

        if root is None:
            raise InputError("dataset 'folder' needs --data FOLDER with the files to learn from")
        place = root if latents else files_behind(root)
        return folder_sequences(get_modality(modality), data, split, place, seed=seed)
    spec = get_dataset(modality, data.dataset)
    dataset = spec.build(data, split, data_root(spec, root), seed)
    expected = (data.length, *data.frame_shape)
    if dataset.shape != expected:
        raise InputError(
            f"dataset {data.dataset!r} gives sequences {dataset.shape}; the preset says {expected}"
        )
    return dataset
