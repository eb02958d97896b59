"""The training hooks of DiffSDA."""

from __future__ import annotations

from typing import Any

from seqdis.core.training.hooks import TrainingHooks

__all__ = ["DiffSDAHooks"]


class DiffSDAHooks(TrainingHooks[Any]):
    """Hooks of :class:`~seqdis.core.methods.diffsda.method.DiffSDA`."""

    def compile_networks(self) -> None:
        """``torch.compile`` both backbones in place; parameter names stay as they are."""
        self.model.frame_encoder.compile()
        self.model.denoiser.network.compile()
