"""The training hooks of DSVAE."""

from __future__ import annotations

from typing import Any

from seqdis.core.training.hooks import TrainingHooks

__all__ = ["DSVAEHooks"]


class DSVAEHooks(TrainingHooks[Any]):
    """Hooks of :class:`~seqdis.core.methods.dsvae.method.DSVAE`."""

    def compile_networks(self) -> None:
        """``torch.compile`` the two networks of a frame in place; parameter names stay as they are."""
        for network in (self.model.frame_encoder, self.model.frame_decoder):
            network.compile()
