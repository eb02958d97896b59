"""A VDSM that is small enough to be tested, and clips for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.methods.vdsm import VDSM, VDSMConfig
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack

SIDE, STEPS, EXPERTS, ACTION, POSE = 8, 6, 5, 4, 3


def configure(**changes: Any) -> RunConfig:
    values: dict[str, Any] = {
        "static_dim": EXPERTS,
        "action_dim": ACTION,
        "pose_dim": POSE,
        "encoder_channels": (8, 16),
        "decoder_channels": (12,),
        "features": 24,
        "recurrent": 16,
        "transition": 16,
        "likelihood": "gaussian",
        "observation_std": 0.2,
    }
    return RunConfig(
        preset="tiny",
        modality="toy",
        method="vdsm",
        data=DataConfig(dataset="folder", length=STEPS, frame_shape=(3, SIDE, SIDE)),
        model=VDSMConfig(**(values | changes)),
        train=TrainConfig(steps=1),
    )


def make(**changes: Any) -> VDSM:
    torch.manual_seed(0)
    model = build_model(configure(**changes)).eval()
    assert isinstance(model, VDSM)
    return model


def clips(count: int = 3, steps: int = STEPS, seed: int = 5) -> Tensor:
    return torch.rand(count, steps, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def rows(count: int, seed: int = 0) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, slice(0, count))
