"""Models from configurations, and from folders that hold a trained one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from seqdis.core.allocation_limit import AllocationLimit, as_large_as
from seqdis.core.config import RunConfig, parse_config
from seqdis.core.data.normalize import Normalizer
from seqdis.core.errors import InputError
from seqdis.core.limits import SETTING, limits
from seqdis.core.model_files import load_state
from seqdis.core.named_models import find_run
from seqdis.core.reading import one_reason, read_json, read_tensors
from seqdis.core.registry import get_method, get_modality

if TYPE_CHECKING:
    from seqdis.core.disentangler import Disentangler

__all__ = ["build_model", "config_of", "find_model_folder", "load", "read_run_config"]


def find_model_folder(folder: Path) -> Path:
    """The folder itself if it holds a model, else its newest checkpoint.

    Raises:
        InputError: The folder holds neither a model nor a checkpoint.
    """
    if (folder / "config.json").is_file() and (folder / "model.safetensors").is_file():
        return folder
    checkpoints = sorted(p for p in (folder / "checkpoints").glob("step-*") if (p / "config.json").is_file())
    if not checkpoints:
        raise InputError(f"{folder}: holds no model (config.json and model.safetensors) and no checkpoint")
    return checkpoints[-1]


def read_run_config(path: Path) -> RunConfig:
    """Read and validate a ``config.json``.

    Raises:
        InputError: The file is missing, is not JSON, is of another format version, or has a key that is
            unknown, missing or out of range.
    """
    values = read_json(path)
    if not isinstance(values, dict) or values.get("format") != 2:
        version = values.get("format") if isinstance(values, dict) else type(values).__name__
        raise InputError(f"{path}: format {version!r:.80}; this version reads format 2")
    model_values = values.get("model", {})
    config_class = get_method(str(values.get("method"))).config_class
    model = parse_config(config_class, model_values, where=f"{path}: model")
    return parse_config(RunConfig, values | {"model": model}, where=str(path))


def build_model(config: RunConfig, *, within: AllocationLimit | None = None) -> Disentangler:
    """A fresh model of the configured method and modality.

    Args:
        config: The configuration of a run.
        within: The bound on the numbers of its weights; the limit ``parameters`` when omitted.

    Raises:
        InputError: The method or modality is not installed, the modality's options are wrong, the shape of a frame
            is still open, or the model would be larger than allowed.
    """
    modality, method = get_modality(config.modality), get_method(config.method)
    if not config.data.frame_shape:
        raise InputError("data.frame_shape is left open: training takes it from the files; allowed: a shape")
    modality.options(config.data)
    if not isinstance(config.model, method.config_class):
        raise InputError(
            f"method {config.method!r} needs a {method.config_class.__name__}; got {type(config.model).__name__}"
        )
    codec = modality.codec(config.codec)
    normalizer = Normalizer(codec.latent_shape(config.data.frame_shape), scope=config.data.normalize)
    most = limits().parameters
    refusal = f"a model of more than {{most}} numbers; allowed: {{most}}, or a larger {SETTING}=parameters=…"
    with within or AllocationLimit(most, refusal), _buildable(config):
        model = method.from_config(
            config.model,
            modality=modality,
            frame_shape=config.data.frame_shape,
            codec=codec,
            normalizer=normalizer,
        )
    model.run_config, model.value_range = config, modality.value_range
    return model


@contextlib.contextmanager
def _buildable(config: RunConfig) -> Iterator[None]:
    """Turn what torch says of sizes that do not go together into one line.

    Raises:
        InputError: The body raised torch's error.
    """
    try:
        yield
    except InputError:
        raise
    except (RuntimeError, ValueError, TypeError, OverflowError, AssertionError, ZeroDivisionError) as error:
        raise InputError(f"method {config.method!r}: no model of these sizes: {one_reason(error)}") from error


def load(
    folder: str | Path, *, device: torch.device | str = "cpu", modality: str | None = None
) -> Disentangler:
    """Load a model of any method from a run or checkpoint folder, or by its name, in evaluation mode.

    Args:
        folder: A folder that holds ``config.json`` and ``model.safetensors``, or checkpoints that do; or the name of a
            model, see :func:`~seqdis.core.named_models.find_run`.
        device: The device to put the model on.
        modality: The modality that the model must have; any when omitted.

    Raises:
        InputError: A file is missing, damaged, edited by hand beyond what is allowed, of another version or
            modality, or the weights do not fit the configuration.
    """
    source = find_model_folder(find_run(folder))
    config = read_run_config(source / "config.json")
    if modality is not None and config.modality != modality:
        raise InputError(f"{folder}: a model of {config.modality}; allowed here: {modality}")
    state = read_tensors(source / "model.safetensors")
    model = build_model(config, within=as_large_as(state, source))
    load_state(model, state, where=str(source))
    return model.eval().to(device)


def config_of(model: Disentangler) -> RunConfig:
    """The configuration that a model was built from.

    Raises:
        InputError: The model was not built from a configuration.
    """
    if model.run_config is None:
        raise InputError("this model was not built from a configuration")
    return model.run_config
