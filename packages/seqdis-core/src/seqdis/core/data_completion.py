"""The settings that a preset leaves open, filled in from the files that are learnt from."""

from __future__ import annotations

import logging
from pathlib import Path

from seqdis.core.capabilities import refused_parts
from seqdis.core.config import RunConfig
from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.folder_content import folder_content
from seqdis.core.errors import InputError
from seqdis.core.registry import get_method, get_modality

__all__ = ["complete_config"]

_logger = logging.getLogger(__name__)


def complete_config(config: RunConfig, root: Path | None) -> RunConfig:
    """A run's configuration with nothing left open; it is stored with the run.

    - The modality fills in the shape of a frame and its own options, see
      :meth:`~seqdis.core.modality.Modality.complete`.
    - Where no recording has as many steps as a sequence, a sequence is as long as the longest: padding that all
      have is of no use.
    - A method that cannot have padding raises ``min_length`` to a whole sequence: what is shorter is left out.

    Args:
        config: The configuration of a run.
        root: The folder of a person's own files; None for a named dataset.

    Raises:
        InputError: The files cannot be used, or a named dataset's shape is left open.
    """
    if config.data.dataset != "folder" or root is None:
        if not config.data.frame_shape:
            raise InputError(
                f"data.frame_shape is left open; allowed with dataset 'folder'; it is {config.data.dataset!r}"
            )
        return config
    modality = get_modality(config.modality)
    data = modality.complete(config.data, find_inputs(modality, [root]).paths)
    longest = max(one.steps for one in folder_content(modality, data, root).recordings)
    if longest < data.length:
        _logger.warning("%s: the longest recording has %d steps: length=%d", root, longest, longest)
        data = data.model_copy(update={"length": longest})
    if "mask" in refused_parts(get_method(config.method)):
        data = data.model_copy(update={"min_length": max(data.min_length, data.length)})
    return config.model_copy(update={"data": data})
