"""A BCD that is small enough to be tested, and clips for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.methods.bcd import BCD, BCDConfig
from seqdis.core.methods.bcd.config import SequenceEncoderConfig
from seqdis.core.methods.bcd.dit_config import DiTConfig
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack

SIDE, STEPS = 8, 6


def configure(**changes: Any) -> RunConfig:
    values: dict[str, Any] = {
        "encoder": SequenceEncoderConfig(width=32, feedforward=64, depth=2, heads=2, queries=2),
        "decoder": DiTConfig(patch=4, width=48, depth=2, heads=2, temporal=(0,)),
        "groups": 2,
        "codes": 8,
        "code_dim": 8,
        "target_bits": 4.0,
        "fps": 25.0,
        "sampler": EDMConfig(steps=4, guidance=1.5),
    }
    return RunConfig(
        preset="tiny",
        modality="toy",
        method="bcd",
        data=DataConfig(dataset="folder", length=STEPS, frame_shape=(3, SIDE, SIDE)),
        model=BCDConfig(**(values | changes)),
        train=TrainConfig(steps=1),
    )


def make(**changes: Any) -> BCD:
    torch.manual_seed(0)
    model = build_model(configure(**changes)).eval()
    assert isinstance(model, BCD)
    return model


def waken(model: BCD) -> BCD:
    """The DiT starts at zero, where nothing depends on anything: move it away, as training does."""
    torch.manual_seed(1)
    for parameter in model.dit.parameters():
        torch.nn.init.normal_(parameter, std=0.15)
    return model


def clips(count: int = 3, steps: int = STEPS, seed: int = 5) -> Tensor:
    return torch.randn(count, steps, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def rows(count: int, seed: int = 0) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, slice(0, count))
