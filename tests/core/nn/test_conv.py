"""The convolutional networks, against S3VAE's Tab. 1 typed once more."""

from __future__ import annotations

import torch
from torch import nn

from seqdis.core.nn.conv import ConvFrameDecoder, ConvFrameEncoder


def _table(network: nn.Module) -> list[tuple[object, ...]]:
    rows: list[tuple[object, ...]] = []
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            kind = "convTrans" if isinstance(module, nn.ConvTranspose2d) else "conv"
            rows.append(
                (kind, module.kernel_size[0], module.stride[0], module.padding[0], module.out_channels)
            )  # type: ignore[index]
        elif isinstance(module, nn.BatchNorm2d | nn.LeakyReLU | nn.ReLU | nn.Upsample | nn.Tanh):
            rows.append((type(module).__name__,))
    return rows


def test_the_encoder_is_the_tables() -> None:
    network = ConvFrameEncoder(3, (64, 128, 256, 512), 128)
    wanted: list[tuple[object, ...]] = []
    for width in (64, 128, 256, 512):
        wanted += [("conv", 4, 2, 1, width), ("BatchNorm2d",), ("LeakyReLU",)]
    assert _table(network) == [*wanted, ("conv", 4, 1, 0, 128), ("BatchNorm2d",), ("Tanh",)]
    assert all(m.negative_slope == 0.2 for m in network.modules() if isinstance(m, nn.LeakyReLU))
    assert network(torch.rand(2, 3, 64, 64)).shape == (2, 128)


def test_the_decoder_is_the_tables() -> None:
    network = ConvFrameDecoder(288, (512, 256, 128, 128, 64), 3)
    wanted: list[tuple[object, ...]] = [("convTrans", 4, 1, 0, 512), ("BatchNorm2d",), ("ReLU",)]
    for width in (256, 128, 128, 64):
        wanted += [("Upsample",), ("conv", 3, 1, 1, width), ("BatchNorm2d",), ("ReLU",)]
    assert _table(network) == [*wanted, ("conv", 1, 1, 0, 3)]
    assert network(torch.rand(2, 288)).shape == (2, 3, 64, 64)
