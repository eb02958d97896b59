"""A preset's description becomes the two U-Nets, or an error that says what is allowed."""

from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.nn.backbones import BackboneConfig, vector_frame_encoder
from seqdis.core.nn.spatial_transformer import SpatialTransformer
from seqdis.video import VideoModality
from seqdis.video.presets import PRESETS

SMALL = BackboneConfig(kind="unet", channels=8, multipliers=(1, 2), attention=(1,), blocks=1)


def test_shapes_in_and_out() -> None:
    video = VideoModality()
    x, z = torch.randn(5, 3, 16, 16), torch.randn(5, 7)
    assert video.frame_encoder(SMALL, frame_shape=(3, 16, 16), features=11)(x).shape == (5, 11)
    denoised = video.denoiser(SMALL, frame_shape=(3, 16, 16), condition=7)(x, torch.randn(5), z)
    assert denoised.shape == x.shape


def test_the_configuration_reaches_the_networks() -> None:
    video = VideoModality()

    def parameters(**changes: object) -> int:
        config = SMALL.model_copy(update=changes)
        network = video.denoiser(config, frame_shape=(3, 16, 16), condition=7)
        return sum(p.numel() for p in network.parameters())

    base = parameters()
    for changes in ({"channels": 16}, {"multipliers": (1, 4)}, {"attention": (0, 1)}, {"blocks": 2}):
        assert parameters(**changes) > base
    dropped = video.frame_encoder(
        SMALL.model_copy(update={"dropout": 0.3}), frame_shape=(3, 16, 16), features=4
    )
    assert any(isinstance(m, torch.nn.Dropout) and m.p == 0.3 for m in dropped.modules())


@pytest.mark.parametrize("tokens", [False, True])
def test_a_unet_of_patches_is_the_unet_of_the_rearranged_frame(tokens: bool) -> None:
    video, patched = VideoModality(), SMALL.model_copy(update={"patch": 2})
    x, c_noise = torch.randn(4, 3, 16, 16), torch.randn(4)
    z = torch.randn(4, 3, 7) if tokens else torch.randn(4, 7)

    def denoiser(config: BackboneConfig, shape: tuple[int, ...]) -> torch.nn.Module:
        torch.manual_seed(0)
        network = (
            video.token_denoiser(config, frame_shape=shape, context=7)
            if tokens
            else video.denoiser(config, frame_shape=shape, condition=7)
        )
        torch.nn.init.normal_(next(p for n, p in network.named_parameters() if n.endswith("conv_out.weight")))
        return network

    whole = denoiser(SMALL, (12, 8, 8))(torch.nn.functional.pixel_unshuffle(x, 2), c_noise, z)
    torch.testing.assert_close(
        denoiser(patched, (3, 16, 16))(x, c_noise, z), torch.nn.functional.pixel_shuffle(whole, 2)
    )
    torch.manual_seed(0)
    features = video.frame_encoder(patched, frame_shape=(3, 16, 16), features=5)(x)
    torch.manual_seed(0)
    same = video.frame_encoder(SMALL, frame_shape=(12, 8, 8), features=5)
    torch.testing.assert_close(features, same(torch.nn.functional.pixel_unshuffle(x, 2)))
    assert video.frame_decoder(patched, frame_shape=(3, 16, 16), condition=6)(torch.randn(2, 6)).shape == (
        2,
        3,
        16,
        16,
    )


def test_patches_that_do_not_fit_say_so() -> None:
    video = VideoModality()
    three = SMALL.model_copy(update={"patch": 3})
    with pytest.raises(InputError, match="patches of 3x3 in frames of shape"):
        video.denoiser(three, frame_shape=(3, 16, 16), condition=4)
    for kind in ("conv", "mlp"):
        config = BackboneConfig(kind=kind, channels=4, multipliers=(1, 2), patch=2)  # type: ignore[arg-type]
        with pytest.raises(InputError, match=f"patches of 2x2 in a '{kind}' backbone; allowed: in 'unet'"):
            video.frame_encoder(config, frame_shape=(3, 16, 16), features=4)
    vector = BackboneConfig(kind="mlp", channels=4, multipliers=(1,), patch=2)
    with pytest.raises(InputError, match=r"patches of 2x2 in frames of shape \(7,\); allowed: 1"):
        vector_frame_encoder(vector, frame_shape=(7,), features=4)


@pytest.mark.parametrize("name", sorted(name for name in PRESETS if name.startswith("diffsda-")))
def test_every_preset_has_networks(name: str) -> None:
    preset, video = PRESETS[name](), VideoModality()
    # The paper's autoencoder has 4 channels and f = 8.
    shape = preset.data.frame_shape if preset.codec.name == "identity" else (4, 32, 32)
    with torch.device("meta"):
        encoder = video.frame_encoder(
            preset.model.encoder, frame_shape=shape, features=preset.model.hidden_dim
        )
        denoiser = video.denoiser(preset.model.denoiser, frame_shape=shape, condition=48)
        x = torch.zeros(2, *shape)
        assert encoder(x).shape == (2, preset.model.hidden_dim)
        assert denoiser(x, torch.zeros(2), torch.zeros(2, 48)).shape == x.shape


@pytest.mark.parametrize(
    ("changes", "shape", "message"),
    [
        ({}, (3, 16, 24), r"video needs square frames \(C, H, H\); got \(3, 16, 24\)"),
        ({}, (48,), r"video needs square frames \(C, H, H\); got \(48,\)"),
        ({"multipliers": (1, 2, 2, 2)}, (3, 20, 20), "the side must be divisible by 8; got 20"),
        ({"attention": (2,)}, (3, 16, 16), r"attention at levels \(2,\); allowed: 0 to 1"),
    ],
)
def test_what_cannot_be_built_says_why(
    changes: dict[str, object], shape: tuple[int, ...], message: str
) -> None:
    config, video = SMALL.model_copy(update=changes), VideoModality()
    with pytest.raises(InputError, match=message):
        video.frame_encoder(config, frame_shape=shape, features=4)
    with pytest.raises(InputError, match=message):
        video.denoiser(config, frame_shape=shape, condition=4)


@pytest.mark.parametrize("kind", ["mlp", "conv"])
def test_denoisers_are_unets(kind: str) -> None:
    config, video = SMALL.model_copy(update={"kind": kind}), VideoModality()
    with pytest.raises(InputError, match=f"video needs a backbone of kind 'unet'; got '{kind}'"):
        video.denoiser(config, frame_shape=(3, 16, 16), condition=4)


@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_conv_backbones_of_any_power_of_two(side: int) -> None:
    video = VideoModality()
    levels = side.bit_length() - 3
    down = BackboneConfig(kind="conv", channels=4, multipliers=(2,) * levels)
    up = BackboneConfig(kind="conv", channels=4, multipliers=(2,) * (levels + 1))
    with torch.device("meta"):
        encoder = video.frame_encoder(down, frame_shape=(1, side, side), features=7)
        decoder = video.frame_decoder(up, frame_shape=(1, side, side), condition=5)
        assert encoder(torch.zeros(2, 1, side, side)).shape == (2, 7)
        assert decoder(torch.zeros(2, 5)).shape == (2, 1, side, side)


def test_perceptrons_see_and_make_every_pixel_at_once() -> None:
    video, shape = VideoModality(), (3, 4, 6)
    config = BackboneConfig(kind="mlp", channels=16, multipliers=(2, 1))
    torch.manual_seed(0)
    encoder = video.frame_encoder(config, frame_shape=shape, features=7)
    decoder = video.frame_decoder(config, frame_shape=shape, condition=5)
    for network, inputs, outputs in ((encoder, 72, 7), (decoder, 5, 72)):
        widths = [layer.weight.shape for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
        assert widths == [(32, inputs), (16, 32), (outputs, 16)]
    x, z = torch.randn(2, *shape, requires_grad=True), torch.randn(2, 5)
    assert decoder(z).shape == x.shape
    (slopes,) = torch.autograd.grad(encoder(x)[0].square().sum(), x)
    assert bool((slopes[0] != 0).all())
    assert bool((slopes[1] == 0).all())


def test_conv_backbones_that_do_not_fit_say_so() -> None:
    video, config = VideoModality(), BackboneConfig(kind="conv", channels=4, multipliers=(1, 2))
    with pytest.raises(InputError, match=r"a conv encoder of these multipliers needs frames \(C, 16, 16\)"):
        video.frame_encoder(config, frame_shape=(3, 32, 32), features=4)
    with pytest.raises(InputError, match=r"a conv decoder of these multipliers needs frames \(C, 8, 8\)"):
        video.frame_decoder(config, frame_shape=(3, 16, 16), condition=4)


def test_a_unet_decodes_frames_that_the_factors_modulate_in_every_block() -> None:
    video = VideoModality()
    config = SMALL.model_copy(update={"multipliers": (1, 2, 4), "attention": ()})
    torch.manual_seed(0)
    decoder = video.frame_decoder(config, frame_shape=(3, 32, 32), condition=5)
    z = torch.randn(4, 5)
    frames = decoder(z)
    assert frames.shape == (4, 3, 32, 32)
    assert (frames[0] - frames[1]).abs().max() > 1e-2
    torch.testing.assert_close(decoder(z[2:3])[0], frames[2], rtol=1e-4, atol=1e-5)
    # The coarsest map alone does not say it all: the blocks read the factors as well.
    decoder.project.weight.data.zero_()
    still = decoder(z)
    assert (still[0] - still[1]).abs().max() > 1e-2
    with pytest.raises(InputError, match="divisible by 4; got 30"):
        video.frame_decoder(config, frame_shape=(3, 30, 30), condition=4)


def test_a_token_denoiser_attends_to_any_number_of_tokens() -> None:
    video = VideoModality()
    network = video.token_denoiser(SMALL, frame_shape=(3, 16, 16), context=7)
    torch.nn.init.normal_(network.conv_out.weight)
    x, tokens = torch.randn(5, 3, 16, 16), torch.randn(5, 2, 7)
    out = network(x, torch.zeros(5), tokens)
    assert out.shape == x.shape
    # A set of tokens, without order; the same one twice says nothing new.
    torch.testing.assert_close(network(x, torch.zeros(5), tokens.flip(1)), out, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(network(x, torch.zeros(5), tokens.repeat(1, 2, 1)), out, rtol=1e-4, atol=1e-4)
    assert (network(x, torch.zeros(5), tokens + 1) - out).abs().max() > 1e-3


def test_the_levels_with_cross_attention_are_those_of_the_configuration() -> None:
    def count(levels: tuple[int, ...] | None) -> int:
        config = SMALL.model_copy(update={"token_levels": levels})
        network = VideoModality().token_denoiser(config, frame_shape=(3, 16, 16), context=7)
        return sum(isinstance(m, SpatialTransformer) for m in network.modules())

    # Two levels of one block: two blocks down with one between, two in the middle, two up each and one between.
    assert count(None) == 10
    assert count((1,)) == 6
    assert count((0,)) == 4
    with pytest.raises(InputError, match=r"token_levels \(2,\); allowed: 0 to 1"):
        count((2,))


def test_an_encoder_can_end_in_a_narrow_map() -> None:
    narrow = SMALL.model_copy(update={"embedding": 3})
    encoder = VideoModality().frame_encoder(narrow, frame_shape=(3, 16, 16), features=11)
    assert encoder.out.in_features == 3 * 8 * 8
    assert encoder(torch.randn(2, 3, 16, 16)).shape == (2, 11)
