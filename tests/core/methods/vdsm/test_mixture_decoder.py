from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from seqdis.core.methods.vdsm.mixture_decoder import BlendedConvTranspose2d, MixtureDecoder

BATCH, STEPS, EXPERTS = 3, 4, 5


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture
def mixture() -> Tensor:
    return torch.softmax(2 * draw(BATCH, EXPERTS), dim=1)


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(4, 1, 0), (4, 2, 1), (3, 1, 1)])
def test_blending_is_a_loop_over_sequences_and_experts(
    kernel: int, stride: int, padding: int, mixture: Tensor
) -> None:
    layer = BlendedConvTranspose2d(EXPERTS, 2, 3, kernel=kernel, stride=stride, padding=padding).double()
    torch.nn.init.normal_(layer.bias)
    x = draw(STEPS, BATCH * 2, 4, 4, seed=1)
    expected = []
    for b in range(BATCH):
        weight, bias = torch.zeros(2, 3, kernel, kernel).double(), torch.zeros(3).double()
        for n in range(EXPERTS):
            weight = weight + mixture[b, n] * layer.weight[n]
            bias = bias + mixture[b, n] * layer.bias[n]
        frames = x[:, 2 * b : 2 * b + 2]
        expected.append(F.conv_transpose2d(frames, weight, bias, stride=stride, padding=padding))
    together = layer(x, mixture)
    torch.testing.assert_close(together, torch.cat(expected, dim=1))
    gradients = torch.autograd.grad(together.square().sum(), list(layer.parameters()))
    loop = torch.autograd.grad(torch.cat(expected, 1).square().sum(), list(layer.parameters()))
    torch.testing.assert_close(gradients, loop)


@pytest.mark.parametrize("groups", [0, 2])
def test_one_expert_is_an_ordinary_decoder(groups: int) -> None:
    decoder = MixtureDecoder(EXPERTS, inputs=7, channels=(8, 4), outputs=3, groups=groups).double()
    chosen = torch.tensor([1, 4, 1])
    static, poses = draw(BATCH, 4), draw(BATCH, STEPS, 3, seed=1)
    got = decoder(static, F.one_hot(chosen, EXPERTS).double(), poses)
    assert got.shape == (BATCH, STEPS, 3, 16, 16)
    for b, n in enumerate(chosen.tolist()):
        h = torch.cat([static[b].expand(STEPS, -1), poses[b]], 1)[..., None, None]
        for depth, layer in enumerate(decoder.layers):
            if groups and depth:
                h = F.group_norm(h, groups)
            h = F.conv_transpose2d(
                F.leaky_relu(h, 0.2) if depth else h,
                layer.weight[n],  # type: ignore[index]
                layer.bias[n],  # type: ignore[index]
                stride=layer.stride,  # type: ignore[arg-type]
                padding=layer.padding,  # type: ignore[arg-type]
            )
        torch.testing.assert_close(got[b], h)


@pytest.mark.parametrize("groups", [0, 2])
def test_sequences_do_not_touch_one_another(groups: int, mixture: Tensor) -> None:
    decoder = MixtureDecoder(EXPERTS, inputs=7, channels=(8, 4), outputs=3, groups=groups).double()
    static, poses = draw(BATCH, 4), draw(BATCH, STEPS, 3, seed=1)
    whole = decoder(static, mixture, poses)
    torch.testing.assert_close(decoder(static[1:2], mixture[1:2], poses[1:2]), whole[1:2])


def test_a_fresh_uniform_mixture_keeps_the_scale() -> None:
    """Of independent experts the mean would shrink by 1/√N a layer."""
    torch.manual_seed(0)
    for experts in (1, 64):
        decoder = MixtureDecoder(experts, inputs=32, channels=(64, 32, 16), outputs=3)
        uniform = torch.full((8, experts), 1 / experts)
        x = decoder(torch.randn(8, 16), uniform, torch.randn(8, 6, 16))
        assert 0.4 < x.std() < 1.6
