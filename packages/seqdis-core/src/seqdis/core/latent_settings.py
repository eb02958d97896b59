"""The settings of a run that learns from latents: those that the latents were made with."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from seqdis.core.capabilities import required_targets
from seqdis.core.config import DataConfig, RunConfig
from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.file_states import digest_of_files
from seqdis.core.data.latent_cache import LatentCache
from seqdis.core.data.tar_shards import is_there
from seqdis.core.errors import InputError
from seqdis.core.registry import get_method, get_modality

__all__ = ["config_for_latents", "frame_settings"]

_logger = logging.getLogger(__name__)


def frame_settings(data: DataConfig) -> dict[str, Any]:
    """The data settings that decide what a frame is, as plain values by their path."""
    values = data.model_dump(mode="json")
    options = {f"options.{name}": value for name, value in values["options"].items()}
    return {"frame_shape": values["frame_shape"], **options}


def config_for_latents(config: RunConfig, cache: LatentCache) -> RunConfig:
    """A run's configuration with what it left open filled in from the latents that it is to learn from.

    What the files decided when they were coded (the shape of a frame, where it was open) is decided in the same way,
    and the codec's folder is that of the latents where none is named. The model that comes out is that of a training
    on the files themselves: it codes frames on its own.

    Args:
        config: The configuration of a run.
        cache: The folder of latents that it is to learn from.

    Raises:
        InputError: The latents were made by another codec or from frames of another kind than the run's, or the method
            learns from something that is computed from the frames themselves.
    """
    if config.modality != cache.modality:
        raise InputError(
            f"{cache.folder}: holds latents of {cache.modality}; preset {config.preset!r} is of {config.modality}"
        )
    targets = required_targets(get_method(config.method), config.model)
    if targets:
        raise InputError(
            f"{cache.folder}: holds latents, and {config.method} learns from {', '.join(targets)}, which is computed "
            f"from the frames themselves; allowed: --data {cache.files}"
        )
    data = _completed(config.data, cache)
    codec = _codec_settings(config, cache)
    _warn_of_changes(cache)
    return config.model_copy(update={"data": data, "codec": codec})


def _completed(data: DataConfig, cache: LatentCache) -> DataConfig:
    given = frame_settings(data)
    if given not in (cache.asked, cache.settings):
        name = next(name for name in {**given, **cache.settings} if _differs(name, given, cache.settings))
        raise InputError(
            f"{cache.folder}: holds latents of frames with data.{name}={_text(cache.settings, name)}; the run says "
            f"{_text(given, name)}; code the files anew by seqdis data encode, or train with the same"
        )
    options = {
        name.removeprefix("options."): value
        for name, value in cache.settings.items()
        if name.startswith("options.")
    }
    changes = {"frame_shape": tuple(cache.settings["frame_shape"]), "options": options}
    return data.model_copy(update=changes)


def _differs(name: str, given: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    return name not in given or name not in held or given[name] != held[name]


def _text(values: Mapping[str, Any], name: str) -> str:
    return repr(values[name]).replace(" ", "") if name in values else "nothing"


def _codec_settings(config: RunConfig, cache: LatentCache) -> Any:
    asked = config.codec
    if asked.name != cache.codec["name"]:
        raise InputError(
            f"{cache.folder}: holds latents of codec {cache.codec['name']!r}; the run's is {asked.name!r}; "
            f"allowed: codec.name={cache.codec['name']}"
        )
    if asked.path is None:
        asked = asked.model_copy(update={"path": cache.codec["path"]})
    if get_modality(config.modality).codec(asked).fingerprint() != cache.codec["fingerprint"]:
        raise InputError(
            f"{cache.folder}: holds latents of other weights than those of codec.path={asked.path}; code the files "
            "anew by seqdis data encode, or name the codec that they were made with"
        )
    return asked


def _warn_of_changes(cache: LatentCache) -> None:
    if not is_there(cache.files):
        return
    try:
        paths = find_inputs(get_modality(cache.modality), [cache.files]).paths
    except InputError:
        paths = ()
    if digest_of_files(paths) != cache.inputs:
        _logger.warning(
            "%s: the files in %s have changed since they were coded; seqdis data encode %s … --force codes them anew",
            cache.folder,
            cache.files,
            cache.files,
        )
