"""The training hooks of DiffSDA."""

from __future__ import annotations

from typing import Any

from seqdis.core.errors import InputError
from seqdis.core.training.hooks import TrainingHooks
from seqdis.core.training.separation import set_separation

__all__ = ["DiffSDAHooks"]


class DiffSDAHooks(TrainingHooks[Any]):
    """Hooks of :class:`~seqdis.core.methods.diffsda.method.DiffSDA`."""

    def compile_networks(self) -> None:
        """``torch.compile`` both backbones in place; parameter names stay as they are."""
        self.model.frame_encoder.compile()
        self.model.denoiser.network.compile()

    def set_scheduled(self, name: str, value: float) -> None:
        """Set the noise on a factor, or the weight of what s tells of d, at the present step.

        The noise ends at the configuration's own: a factor that is drawn after training is drawn with that.
        """
        model = self.model
        set_separation(
            name, value, channels=model.channels, predictability=model.predictability, method="diffsda"
        )

    def on_stage(self, name: str) -> None:
        """There is one stage, ``"training"``, which may move the noise and the weight."""
        if name != "training":
            raise InputError(f"train.stages: stage {name!r}; diffsda has: training")
