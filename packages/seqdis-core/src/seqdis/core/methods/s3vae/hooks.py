"""The training hooks of S3VAE."""

from __future__ import annotations

from typing import Any

from seqdis.core.training.hooks import TrainingHooks

__all__ = ["S3VAEHooks"]


class S3VAEHooks(TrainingHooks[Any]):
    """Hooks of :class:`~seqdis.core.methods.s3vae.method.S3VAE`."""

    def on_fit_start(self, train_set: Any) -> None:
        """Store N, the number of training sequences, which the estimate of the mutual information needs."""
        self.model.sequences = len(train_set)

    def compile_networks(self) -> None:
        """``torch.compile`` both backbones in place; parameter names stay as they are."""
        self.model.frame_encoder.compile()
        self.model.frame_decoder.compile()
