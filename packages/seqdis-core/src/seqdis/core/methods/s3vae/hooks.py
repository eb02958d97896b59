"""The training hooks of S3VAE."""

from __future__ import annotations

from typing import Any

from seqdis.core.errors import InputError, unknown_name
from seqdis.core.training.hooks import TrainingHooks

__all__ = ["MOVING_VALUES", "STAGES", "S3VAEHooks"]

STAGES = ("training",)
MOVING_VALUES = ("kl_static_weight", "kl_dynamic_weight", "reversal_weight", "dynamic_noise")


class S3VAEHooks(TrainingHooks[Any]):
    """Hooks of :class:`~seqdis.core.methods.s3vae.method.S3VAE`."""

    def on_fit_start(self, train_set: Any) -> None:
        """Store N, the number of training sequences, which the estimate of the mutual information needs."""
        self.model.sequences = len(train_set)

    def set_scheduled(self, name: str, value: float) -> None:
        """Set the noise on ``d``, or the weight of a divergence, of the reversed prediction or of what ``s`` tells of ``d``."""
        reader = self.model.predictability
        if name == "predictability_weight" and reader is None:
            raise InputError(
                f"train.stages: predictability_weight {value}; allowed where model.predictability_weight is not 0"
            )
        if name == "predictability_weight":
            reader.present_weight = value
            return
        if name not in MOVING_VALUES:
            raise unknown_name("moving value of s3vae", name, (*MOVING_VALUES, "predictability_weight"))
        if name == "dynamic_noise" and not (value > 0 and self.model.config.dynamic_noise):
            raise InputError(
                f"train.stages: dynamic_noise {value}; a standard deviation above 0, where model.dynamic_noise is not 0"
            )
        self.model.get_buffer(name).fill_(value)

    def on_stage(self, name: str) -> None:
        """``"training"``, the only stage: it is there for the ramps of the weights."""
        if name not in STAGES:
            raise unknown_name("stage of s3vae", name, STAGES)

    def compile_networks(self) -> None:
        """``torch.compile`` both backbones in place; parameter names stay as they are."""
        self.model.frame_encoder.compile()
        self.model.frame_decoder.compile()
