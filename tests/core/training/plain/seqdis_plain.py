"""The smallest method there is, for tests of the trainer: a linear denoising autoencoder.

It draws from every source a real method may draw from: row noise by ``generator`` and, with
dropout, torch's global stream.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn

from seqdis.core.codec import FrameCodec
from seqdis.core.config import Config
from seqdis.core.data.normalize import Normalizer
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.factors import Factors
from seqdis.core.modality import Modality
from seqdis.core.random import GeneratorLike, GeneratorStack, randn
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import TrainingHooks

STATIC, DYNAMIC = 4, 3


class PlainConfig(Config):
    dropout: float = 0.0
    noise: float = 0.3


class Plain(Disentangler):
    config_class: ClassVar[type[Config]] = PlainConfig

    def __init__(self, *, config: PlainConfig, **parts: Any) -> None:
        super().__init__(**parts)
        (width,) = self.frame_shape
        self.config = config
        self.dropout = nn.Dropout(config.dropout)
        self.static, self.dynamic = nn.Linear(width, STATIC), nn.Linear(width, DYNAMIC)
        self.output = nn.Linear(STATIC + DYNAMIC, width)

    @classmethod
    def from_config(
        cls,
        config: Any,
        *,
        modality: Modality,
        frame_shape: tuple[int, ...],
        codec: FrameCodec,
        normalizer: Normalizer,
    ) -> Self:
        return cls(config=config, frame_shape=frame_shape, codec=codec, normalizer=normalizer)

    def _factors(self, y: Tensor) -> Factors:
        return Factors(self.static(y.mean(1)), self.dynamic(y))

    def _frames(self, factors: Factors) -> Tensor:
        static = factors.static[:, None].expand(-1, factors.steps, -1)
        result: Tensor = self.output(torch.cat([static, factors.dynamic], dim=2))
        return result

    def training_hooks(self) -> TrainingHooks[Any]:
        return TrainingHooks(self)

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        return self._factors(self.to_model_space(sequences))

    def _decode(self, factors: Factors, **options: Any) -> Tensor:
        torch.rand(3)  # a careless method: what it takes from the global stream must not matter
        return self.from_model_space(self._frames(factors))

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        y = self.to_model_space(sequences)
        noisy = self.dropout(y + self.config.noise * randn(y.shape, generator=generator, device=y.device))
        difference = self._frames(self._factors(noisy)) - y
        return LossOutput(difference.square().mean(), {"error": difference.detach().abs().mean()})
