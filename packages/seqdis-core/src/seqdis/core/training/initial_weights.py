"""The weights that a new run starts from: those of a model that was trained before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.loaded_weights import fitting_weights
from seqdis.core.model_files import state_to_save
from seqdis.core.named_models import find_run
from seqdis.core.pretrained import config_of, find_model_folder, read_run_config
from seqdis.core.reading import read_tensors
from seqdis.core.training.differing_settings import differing_settings

__all__ = ["InitialWeights", "read_initial_weights"]

_SHAPES_DEPEND_ON = ("model.", "data.frame_shape", "data.normalize", "codec.")
_NAMED = 3


@dataclass(frozen=True)
class InitialWeights:
    """Weights for the first step of a run, and the normaliser that they were trained for.

    Attributes:
        source: The folder that they come from, as it was given.
        config: Configuration of the model that they are of.
        tensors: All tensors of the model but its codec's, by name: the averaged weights, and mean and standard
            deviation of the normaliser.
    """

    source: str
    config: RunConfig
    tensors: Mapping[str, Tensor]

    def load_into(self, model: Disentangler) -> None:
        """Give a model these weights and this normaliser.

        The normaliser is kept, not fitted to the new data: the weights know the data in its scale alone.

        Raises:
            InputError: A tensor is missing, too many, of another shape, of a type that is not floating, or not finite;
                the message names settings that differ.
        """
        tensors = fitting_weights(
            self.tensors,
            state_to_save(model),
            where=f"--init-from {self.source}",
            misfit="its weights do not fit",
            hint=self._differences(config_of(model)),
        )
        try:
            model.load_state_dict(tensors, strict=False)
        except InputError as error:
            raise InputError(f"--init-from {self.source}: {error}") from error

    def _differences(self, config: RunConfig) -> str:
        changes = differing_settings(self.config, config)
        causes = [key for key in changes if key.startswith(_SHAPES_DEPEND_ON)][:_NAMED]
        named = [f"{key} = {changes[key].before!r} there, {changes[key].now!r} here" for key in causes]
        return f"; {', '.join(named)}" if named else ""


def read_initial_weights(source: str | Path | Disentangler, config: RunConfig) -> InitialWeights:
    """The averaged weights of a run, a checkpoint or a model in memory, for a run of the same method.

    Args:
        source: Folder of a run or a checkpoint, or a model.
        config: Configuration of the run that starts from them.

    Raises:
        InputError: The folder holds no usable model, or one of another method or behind another frame codec.
    """
    if isinstance(source, Disentangler):
        tensors = {name: tensor.detach().clone() for name, tensor in state_to_save(source).items()}
        weights = InitialWeights("MODEL", config_of(source), tensors)
    else:
        folder = find_model_folder(find_run(source))
        known = read_run_config(folder / "config.json")
        weights = InitialWeights(str(source), known, read_tensors(folder / "model.safetensors"))
    theirs = weights.config
    for what, there, here in (
        ("method", theirs.method, config.method),
        ("codec", theirs.codec.name, config.codec.name),
    ):
        if there != here:
            raise InputError(
                f"--init-from {weights.source}: a model of {what} {there!r}; this run needs one of {here!r}"
            )
    return weights
