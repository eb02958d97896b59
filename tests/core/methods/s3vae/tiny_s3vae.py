"""An S3VAE that is small enough to be tested, and clips for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.methods.s3vae import S3VAE, S3VAEConfig
from seqdis.core.methods.s3vae.config import PredictionConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack

FRAME, STEPS = 8, 6
MLP = BackboneConfig(kind="mlp", channels=32, multipliers=(1,))
CELLS = PredictionConfig(target="cells", width=4, loss="cross_entropy", hidden=16)


def configure(**changes: Any) -> RunConfig:
    values: dict[str, Any] = {
        "static_dim": 5,
        "dynamic_dim": 3,
        "features": 16,
        "hidden_dim": 16,
        "encoder": MLP,
        "decoder": MLP,
        "output": "linear",
        "prediction": CELLS,
    }
    return RunConfig(
        preset="tiny",
        modality="toy",
        method="s3vae",
        data=DataConfig(dataset="ramps", length=STEPS, frame_shape=(FRAME,)),
        model=S3VAEConfig(**(values | changes)),
        train=TrainConfig(steps=1),
    )


def make(**changes: Any) -> S3VAE:
    torch.manual_seed(0)
    model = build_model(configure(**changes)).eval()
    assert isinstance(model, S3VAE)
    return model


def clips(count: int = 3, steps: int = STEPS, seed: int = 5) -> Tensor:
    return torch.randn(count, steps, FRAME, generator=torch.Generator().manual_seed(seed))


def cells(count: int, steps: int = STEPS, width: int = 4) -> dict[str, Tensor]:
    return {"cells": torch.eye(width)[torch.arange(count * steps).view(count, steps) % width]}


def rows(count: int, seed: int = 0) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, slice(0, count))
