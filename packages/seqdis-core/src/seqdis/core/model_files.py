"""The two files of a saved model: ``config.json`` and ``model.safetensors``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from torch import Tensor

from seqdis.core.config import RunConfig
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json, replace_with_tensors
from seqdis.core.loaded_weights import fitting_weights

__all__ = ["load_state", "state_to_save", "write_model_files"]


class _Saved(Protocol):
    run_config: RunConfig | None

    def state_dict(self) -> dict[str, Tensor]: ...

    def load_state_dict(self, state_dict: Mapping[str, Tensor], strict: bool = ...) -> object: ...


def state_to_save(model: _Saved) -> dict[str, Tensor]:
    """All tensors of the model except those of its frozen codec."""
    return {k: v for k, v in model.state_dict().items() if not k.startswith("codec.")}


def load_state(model: _Saved, state: Mapping[str, Tensor], *, where: str) -> None:
    """Load the tensors that :func:`state_to_save` gave into a model.

    Args:
        model: A model of the same configuration.
        state: The saved tensors, all of them.
        where: The folder that they come from, for the message.

    Raises:
        InputError: A tensor is missing, too many, of another shape, of a type that is not floating, or not finite; or a
            standard deviation is 0.
    """
    misfit = "weights and config.json disagree"
    tensors = fitting_weights(state, state_to_save(model), where=where, misfit=misfit)
    try:
        model.load_state_dict(tensors, strict=False)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error


def write_model_files(model: _Saved, folder: Path, state: Mapping[str, Tensor] | None = None) -> None:
    """Write the two files into an existing folder.

    Args:
        model: A model that was built from a configuration.
        folder: The folder to write into.
        state: Weights to write instead of the model's present ones.

    Raises:
        InputError: The model was not built from a configuration, or the folder cannot be written.
    """
    if model.run_config is None:
        raise InputError("a model can be saved only if it was built by build_model(config)")
    replace_with_json(folder / "config.json", model.run_config.model_dump(mode="json"))
    replace_with_tensors(folder / "model.safetensors", state or state_to_save(model), {"format": "pt"})
