from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import convolve

from seqdis.core.methods.vdsm.anti_aliased import AntiAliasedEncoder, BlurPool


def test_blurring_is_the_binomial_convolution_at_every_second_pixel() -> None:
    x = torch.randn(2, 3, 6, 8, generator=torch.Generator().manual_seed(0))
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    expected = np.stack(
        [[convolve(m, kernel, mode="mirror")[::2, ::2] for m in image] for image in x.numpy()]
    )
    np.testing.assert_allclose(BlurPool()(x).numpy(), expected, atol=1e-6)


def test_blurring_keeps_a_constant_and_moves_little_with_the_picture() -> None:
    assert torch.allclose(BlurPool()(torch.full((1, 2, 4, 4), 3.0)), torch.full((1, 2, 2, 2), 3.0))
    dot = torch.zeros(1, 1, 16, 16)
    dot[..., 8, 8] = 1
    moved = dot.roll(1, dims=3)
    # What is dropped by a plain stride is all of the dot, or nothing.
    assert dot[..., ::2, ::2].sum() == 1
    assert moved[..., ::2, ::2].sum() == 0
    torch.testing.assert_close(BlurPool()(dot).sum(), BlurPool()(moved).sum())


def test_the_encoder_halves_once_a_layer() -> None:
    encoder = AntiAliasedEncoder((3, 16, 16), (4, 6, 8))
    assert encoder.features == 8 * 2 * 2
    assert encoder(torch.randn(5, 3, 16, 16)).shape == (5, encoder.features)
    assert AntiAliasedEncoder((3, 32, 32), (4,) * 5)(torch.randn(2, 3, 32, 32)).shape == (2, 4)


def test_with_norms_the_encoder_does_not_see_the_contrast() -> None:
    frames = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    plain, normed = (AntiAliasedEncoder((3, 16, 16), (4, 6), groups=groups) for groups in (0, 2))
    for encoder in (plain, normed):
        for layer in encoder.layers:
            if isinstance(layer, torch.nn.Conv2d):
                torch.nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    torch.testing.assert_close(normed(3 * frames), normed(frames), atol=1e-3, rtol=1e-3)
    torch.testing.assert_close(plain(3 * frames), 3 * plain(frames))
