from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from seqdis.core.diffusion.denoiser import Denoiser
from seqdis.core.diffusion.loss import denoising_loss
from seqdis.core.diffusion.preconditioning import EDMPreconditioning
from seqdis.core.nn.passes import in_passes


class Recorder(nn.Module):
    """A network that remembers what it was given."""

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        self.seen = (x, c_noise)
        return torch.tanh(x) * z.mean(1).view(-1, *(1,) * (x.ndim - 1))


def test_preconditioning_is_karras_table_1_computed_frame_by_frame() -> None:
    network = Recorder()
    denoiser = Denoiser(network, preconditioning=EDMPreconditioning(0.5))
    x, z = torch.randn(3, 2, 4, 4), torch.randn(3, 5)
    sigma = torch.tensor([0.01, 1.0, 50.0])
    out = denoiser(x, sigma, z)
    for i, s in enumerate(sigma.tolist()):
        norm = math.sqrt(s * s + 0.25)
        f = torch.tanh(x[i] / norm) * z[i].mean()
        expected = 0.25 / norm**2 * x[i] + s * 0.5 / norm * f
        torch.testing.assert_close(out[i], expected, rtol=1e-5, atol=1e-6)
        assert network.seen[1][i].item() == pytest.approx(math.log(s) / 4, rel=1e-5)


def test_the_loss_is_the_weighted_error_of_the_denoised_frame() -> None:
    denoiser = Denoiser(Recorder())
    x, z, noise = torch.randn(64, 3), torch.randn(64, 2), torch.randn(64, 3)
    sigma = torch.linspace(0.05, 5, 64)
    loss = denoising_loss(denoiser, x, z, sigma=sigma, noise=noise)
    denoised = denoiser(x + sigma[:, None] * noise, sigma, z)
    weight = (sigma**2 + 0.25) / (sigma * 0.5) ** 2
    expected = (weight[:, None] * (denoised - x) ** 2).mean()
    torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-6)


def test_the_loss_of_a_batch_is_the_mean_of_its_halves_even_with_weights() -> None:
    denoiser = Denoiser(Recorder())
    x, z, noise = torch.randn(8, 3), torch.randn(8, 2), torch.randn(8, 3)
    sigma, weight = torch.rand(8) + 0.1, (torch.rand(8, 3) > 0.5).float()

    def loss(part: slice) -> Tensor:
        return denoising_loss(
            denoiser, x[part], z[part], sigma=sigma[part], noise=noise[part], weight=weight[part]
        )

    torch.testing.assert_close(loss(slice(0, 8)), (loss(slice(0, 4)) + loss(slice(4, 8))) / 2)


def test_the_network_sees_float32_while_the_sums_stay_float64() -> None:
    network = Recorder()
    out = Denoiser(network)(
        torch.randn(2, 3, dtype=torch.float64), torch.ones(2, dtype=torch.float64), torch.ones(2, 1)
    )
    assert network.seen[0].dtype == torch.float32
    assert out.dtype == torch.float64


@pytest.mark.parametrize("size", [1, 2, 100])
def test_bound_it_is_the_denoiser_at_one_level(size: int) -> None:
    denoiser = Denoiser(Recorder())
    x, z = torch.randn(5, 2, 3, dtype=torch.float64), torch.randn(5, 4)
    bound = denoiser.bind(z, max_frames_per_pass=size)
    for level in (0.002, 0.7, 80.0, 0.7):  # the last from what it remembers
        sigma = torch.full((5,), level, dtype=torch.float64)
        torch.testing.assert_close(bound(x, level), denoiser(x, sigma, z), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_passes_join_to_the_whole(size: int) -> None:
    x, y = torch.randn(7, 2), torch.randn(7, 2)
    assert torch.equal(in_passes(lambda a, b: a * b, (x, y), size), x * y)
