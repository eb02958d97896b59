"""A DiViD that is small enough to be tested, and clips for it."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from seqdis.core.config import RunConfig
from seqdis.core.diffusion.samplers.ddim import DDIMConfig
from seqdis.core.methods.divid import DiViD, DiViDConfig
from seqdis.core.nn import UNetDenoiser, UNetEncoder
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import get_preset

SIDE, STEPS = 8, 5
UNET = BackboneConfig(kind="unet", channels=8, multipliers=(1, 2), attention=(1,), blocks=1)
SMALL: dict[str, Any] = {
    "static_dim": 12,
    "dynamic_dim": 6,
    "feature_dim": 24,
    "hidden_dim": 32,
    "attention_dim": 16,
    "attention_heads": 2,
    "token_dim": 10,
    "timesteps": 100,
    "sampler": DDIMConfig(levels="chain", steps=4),
}


class Recorder(nn.Module):
    """Answers with a fixed function of what it is shown, and keeps that."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Tensor, Tensor, Tensor]] = []

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        self.calls.append((x.detach(), c_noise.detach(), z))
        return 0.3 * x + 0.1 * z.flatten(1).mean(1).view(-1, *(1,) * (x.ndim - 1))


def make(network: nn.Module | None = None, **changes: Any) -> DiViD:
    """On pictures, with core's own U-Nets."""
    torch.manual_seed(0)
    config = DiViDConfig(**{**SMALL, "encoder": UNET, "denoiser": UNET, **changes})
    sizes: dict[str, Any] = {
        "size": SIDE,
        "channels": UNET.channels,
        "multipliers": UNET.multipliers,
        "blocks": 1,
    }
    encoder = UNetEncoder(3, **sizes, features=config.feature_dim)
    how = {"context": config.token_dim} if config.cross_attention else {"condition": 2 * config.token_dim}
    torch.manual_seed(1)
    denoiser = network or UNetDenoiser(3, **sizes, attention=UNET.attention, **how)
    if network is None:  # its last layer starts at zero, where nothing depends on anything
        nn.init.normal_(denoiser.conv_out.weight, std=0.1)  # type: ignore[arg-type, union-attr]
    torch.manual_seed(2)
    model = DiViD(frame_shape=(3, SIDE, SIDE), frame_encoder=encoder, denoiser=denoiser, config=config)
    model.normalizer.std.fill_(1.0)
    return model.eval()


def on_vectors(**changes: Any) -> RunConfig:
    """On the toy modality's vectors, which have no cross-attention."""
    toy = get_preset("toy")
    backbone = BackboneConfig(kind="mlp", channels=48, multipliers=(1, 1))
    values = {**SMALL, "encoder": backbone, "denoiser": backbone, "cross_attention": False, **changes}
    return toy.model_copy(update={"method": "divid", "model": DiViDConfig(**values)})


def clips(count: int = 4, steps: int = STEPS, seed: int = 5) -> Tensor:
    return torch.randn(count, steps, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(seed))


def rows(count: int, seed: int = 0, part: slice | None = None) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, part or slice(0, count))
