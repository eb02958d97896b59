from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.nn import (
    AdaGroupNorm,
    DenoiserMLP,
    FrameMLP,
    NoiseEmbedding,
    SpatialSelfAttention,
    UNetDenoiser,
    UNetEncoder,
)
from seqdis.core.nn.norm import group_count
from seqdis.core.nn.unet import position_features


def test_unet_keeps_the_shape_and_depends_on_all_its_inputs() -> None:
    net = UNetDenoiser(3, size=8, channels=8, multipliers=(1, 2), attention=(1,), blocks=1, condition=4)
    torch.nn.init.normal_(net.conv_out.weight, std=0.1)
    for module in net.modules():
        if hasattr(module, "conv2"):
            torch.nn.init.normal_(module.conv2.weight, std=0.1)
    x, c, z = torch.randn(2, 3, 8, 8), torch.zeros(2), torch.randn(2, 4)
    base = net(x, c, z)
    assert base.shape == x.shape
    for changed in ((x + 1, c, z), (x, c + 0.5, z), (x, c, z + 1)):
        assert (net(*changed) - base).abs().max() > 1e-3


def test_a_fresh_unet_outputs_zero_so_that_the_denoiser_starts_at_the_skip() -> None:
    net = UNetDenoiser(1, size=8, channels=8, multipliers=(1, 1, 1), condition=2)
    assert torch.equal(
        net(torch.randn(2, 1, 8, 8), torch.zeros(2), torch.randn(2, 2)), torch.zeros(2, 1, 8, 8)
    )


def test_frames_are_denoised_independently_of_each_other() -> None:
    net = UNetDenoiser(1, size=8, channels=8, multipliers=(1, 2), attention=(0, 1), condition=2)
    torch.nn.init.normal_(net.conv_out.weight)
    x, c, z = torch.randn(5, 1, 8, 8), torch.randn(5), torch.randn(5, 2)
    torch.testing.assert_close(net(x, c, z)[1:3], net(x[1:3], c[1:3], z[1:3]), rtol=1e-4, atol=1e-5)


def test_frame_sizes_that_cannot_be_halved_are_refused() -> None:
    with pytest.raises(InputError, match="3 levels needs a frame size divisible by 4; got 10"):
        UNetEncoder(3, size=10, channels=8, multipliers=(1, 2, 2), features=4)


def test_encoder_tells_where_something_is() -> None:
    net = UNetEncoder(1, size=16, channels=8, multipliers=(1, 2), blocks=1, features=16)
    left, right = torch.zeros(1, 1, 16, 16), torch.zeros(1, 1, 16, 16)
    left[..., 6:10, 1:5], right[..., 6:10, 11:15] = 1, 1
    assert (net(left) - net(right)).abs().max() > 1e-3


def test_mlp_denoiser_skips_its_input_into_every_layer() -> None:
    net = DenoiserMLP(6, (32, 64), condition=3)
    assert [layer.in_features for layer in net.linears] == [6, 38]
    assert net.out.in_features == 70
    out = net(torch.randn(4, 6), torch.zeros(4), torch.randn(4, 3))
    assert out.shape == (4, 6)
    assert FrameMLP(6, (32,), 5)(torch.randn(4, 6)).shape == (4, 5)


def test_adaptive_norm_starts_near_a_plain_one() -> None:
    layer = AdaGroupNorm(8, noise=4, condition=3)
    h = torch.randn(2, 8, 5)
    zero = layer(h, torch.zeros(2, 4), torch.zeros(2, 3))
    torch.testing.assert_close(
        zero, torch.nn.functional.silu(torch.nn.functional.group_norm(h, layer.groups))
    )


@pytest.mark.parametrize(("channels", "groups"), [(128, 32), (64, 16), (12, 3), (7, 1), (2, 1)])
def test_groups_divide_the_channels(channels: int, groups: int) -> None:
    assert group_count(channels) == groups


def test_embedding_tells_noise_levels_apart() -> None:
    levels = torch.logspace(-2.7, 1.9, 64)
    embedding = NoiseEmbedding(8)
    raw = levels.log()[:, None] / 4 * embedding.frequencies
    vectors = torch.cat([raw.cos(), raw.sin()], 1)
    distance = torch.cdist(vectors, vectors) + 10 * torch.eye(64)
    assert distance.min() > 0.05


def test_attention_starts_as_the_identity_and_agrees_with_plain_softmax() -> None:
    layer = SpatialSelfAttention(8).double()
    x = torch.randn(2, 8, 3, 3, dtype=torch.float64)
    assert torch.equal(layer(x), x)
    torch.nn.init.eye_(layer.out.weight.view(8, 8))
    q, k, v = layer.qkv(layer.norm(x)).flatten(2).transpose(1, 2).chunk(3, dim=2)
    weights = torch.softmax(q @ k.transpose(1, 2) / 8**0.5, dim=2)
    torch.testing.assert_close(layer(x), x + (weights @ v).transpose(1, 2).reshape(x.shape))


def test_position_features_make_a_bump_anywhere_out_of_gains() -> None:
    # Least squares over the features of an axis reproduces a bump at any place of that axis.
    features = position_features(16, 3)
    assert features.shape == (12, 16, 16)
    axis = torch.linspace(-1, 1, 16)
    basis = torch.cat([features[:6, 0].T, torch.ones(16, 1)], dim=1)
    assert torch.allclose(features[:6], features[:6, :1].expand(6, 16, 16))
    assert torch.equal(features[6:], features[:6].transpose(1, 2))
    for centre in (-0.5, 0.0, 0.6):
        bump = torch.exp(-((axis - centre) ** 2) / 0.18)
        fitted = basis @ torch.linalg.lstsq(basis, bump).solution
        assert (fitted - bump).abs().max() < 0.06


def test_position_features_are_the_denoisers_only_difference_and_no_weight() -> None:
    plain, placed = (
        UNetDenoiser(1, size=8, channels=8, multipliers=(1, 2), condition=2, positions=p) for p in (0, 2)
    )
    assert plain.conv_in.in_channels == 1
    assert placed.conv_in.in_channels == 9
    assert plain.state_dict().keys() == placed.state_dict().keys()
