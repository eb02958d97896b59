"""The settings that a preset leaves open, filled in from the files that are learnt from."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from seqdis.core.capabilities import refused_parts
from seqdis.core.config import RunConfig
from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.folder_content import folder_content
from seqdis.core.data.latent_cache import open_latents
from seqdis.core.data.settled_by_files import settled_by_files
from seqdis.core.errors import InputError
from seqdis.core.executors.shard_folder import is_shard_folder
from seqdis.core.latent_settings import config_for_latents
from seqdis.core.registry import get_method, get_modality

__all__ = ["complete_config", "keep_completion"]

_logger = logging.getLogger(__name__)


def complete_config(config: RunConfig, root: Path | None) -> RunConfig:
    """A run's configuration with nothing left open; it is stored with the run.

    - The modality fills in the shape of a frame and its own options, see
      :meth:`~seqdis.core.modality.Modality.complete`.
    - Where no recording has as many steps as a sequence, a sequence is as long as the longest: padding that all
      have is of no use.
    - Of a folder of latents all this is that of the files that they were made from, see
      :func:`~seqdis.core.latent_settings.config_for_latents`.
    - A method that cannot have padding raises ``min_length`` to a whole sequence: what is shorter is left out.

    Args:
        config: The configuration of a run.
        root: The folder of a person's own files, or of latents; None for a named dataset.

    Raises:
        InputError: The files cannot be used, all recordings have one step, or a named dataset's shape is left open.
    """
    if config.data.dataset != "folder" or root is None:
        if root is not None and is_shard_folder(root):
            raise InputError(
                f"{root}: holds latents of files, and the data of {config.preset!r} are {config.data.dataset!r}; "
                "allowed with data.dataset=folder"
            )
        if not config.data.frame_shape:
            raise InputError(
                f"data.frame_shape is left open; allowed with dataset 'folder'; it is {config.data.dataset!r}"
            )
        return config
    modality = get_modality(config.modality)
    if is_shard_folder(root):
        config = config_for_latents(config, open_latents(root))
        data = config.data
    else:
        data = settled_by_files(modality, config.data, find_inputs(modality, [root]).paths)
    longest = max(one.steps for one in folder_content(modality, data, root).recordings)
    if longest < 2:
        raise InputError(f"{root}: the longest recording has {longest} step; length is at least 2")
    if longest < data.length:
        _logger.warning("%s: the longest recording has %d steps: length=%d", root, longest, longest)
        data = data.model_copy(update={"length": longest})
    if "mask" in refused_parts(get_method(config.method)):
        data = data.model_copy(update={"min_length": max(data.min_length, data.length)})
    return config.model_copy(update={"data": data})


def keep_completion(completed: RunConfig, given: RunConfig, before: RunConfig) -> RunConfig:
    """A completed configuration for a run that goes on: what was left open stays as its first training found it.

    Files may have come or gone since, of another sample rate for instance; the weights were trained for those settings.

    Args:
        completed: The configuration as :func:`complete_config` fills it in from the files of now.
        given: The configuration as it was before it was filled in.
        before: The configuration that the run was trained with so far.
    """
    now, asked, known = completed.data, given.data, before.data
    kept: dict[str, Any] = {
        name: getattr(known, name)
        for name in ("frame_shape", "length", "min_length")
        if getattr(now, name) != getattr(asked, name)
    }
    kept["options"] = {
        key: value if asked.options.get(key) == value else known.options.get(key, value)
        for key, value in now.options.items()
    }
    return completed.model_copy(update={"data": now.model_copy(update=kept)})
