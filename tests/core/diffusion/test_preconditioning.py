"""Kinds of prediction: the table against its definitions, and conversion between them."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from seqdis.core.diffusion.denoiser import Denoiser
from seqdis.core.diffusion.loss import denoising_loss
from seqdis.core.diffusion.noise import cosine_schedule, linear_schedule
from seqdis.core.diffusion.preconditioning import (
    EDMPreconditioning,
    EpsilonPreconditioning,
    Preconditioning,
    SamplePreconditioning,
    VelocityPreconditioning,
    convert_prediction,
)

SCHEDULE = linear_schedule()
KINDS: dict[str, Preconditioning] = {
    "edm": EDMPreconditioning(),
    "epsilon": EpsilonPreconditioning(SCHEDULE),
    "velocity": VelocityPreconditioning(SCHEDULE),
    "sample": SamplePreconditioning(SCHEDULE),
}


def draw() -> tuple[Tensor, Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    x0, eps = (torch.randn(6, 3, 2, generator=g, dtype=torch.float64) for _ in range(2))
    return x0, eps, torch.tensor([0.01, 0.1, 0.5, 1.0, 7.0, 60.0], dtype=torch.float64)


def targets() -> dict[str, Tensor]:
    """What each kind of network should say, from the definitions in x_t = α·x₀ + σ̂·ε."""
    x0, eps, sigma = draw()
    s = sigma.view(-1, 1, 1)
    alpha, noise = 1 / (1 + s**2).sqrt(), s / (1 + s**2).sqrt()
    total = s**2 + 0.25
    return {
        "edm": (x0 - 0.25 / total * (x0 + s * eps)) / (0.5 * s / total.sqrt()),
        "epsilon": eps,
        "velocity": alpha * eps - noise * x0,
        "sample": x0,
    }


class Says(nn.Module):
    """A network that gives a fixed answer, and keeps what it was asked."""

    def __init__(self, answer: Tensor) -> None:
        super().__init__()
        self.answer = answer

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        self.seen, self.time = x, c_noise
        return self.answer


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_network_gives_the_clean_frame_and_no_loss(kind: str) -> None:
    x0, eps, sigma = draw()
    network = Says(targets()[kind])
    denoiser = Denoiser(network, preconditioning=KINDS[kind])
    x = x0 + sigma.view(-1, 1, 1) * eps
    torch.testing.assert_close(denoiser(x, sigma, torch.zeros(6, 1)), x0)
    assert denoising_loss(denoiser, x0, torch.zeros(6, 1), sigma=sigma, noise=eps) < 1e-12
    if kind != "edm":  # variance-preserving: the network sees √ᾱ_t·x₀ + √(1−ᾱ_t)·ε
        a = (1 / (1 + sigma**2)).view(-1, 1, 1)
        torch.testing.assert_close(network.seen.double(), a.sqrt() * x0 + (1 - a).sqrt() * eps)


@pytest.mark.parametrize(("source", "target"), list(itertools.permutations(KINDS, 2)))
def test_any_kind_converts_into_any_other(source: str, target: str) -> None:
    x0, eps, sigma = draw()
    x = x0 + sigma.view(-1, 1, 1) * eps
    known = targets()
    converted = convert_prediction(known[source], x, sigma, source=KINDS[source], target=KINDS[target])
    torch.testing.assert_close(converted, known[target])


@pytest.mark.parametrize("schedule", [linear_schedule(), cosine_schedule()], ids=["linear", "cosine"])
def test_the_networks_time_is_the_step_of_the_schedule(schedule) -> None:  # type: ignore[no-untyped-def]
    steps = torch.tensor([0, 1, 10, 500, 998, 999])
    torch.testing.assert_close(schedule.time(schedule.sigmas[steps]), steps.double())
    between = (schedule.sigmas[10] * schedule.sigmas[11]).sqrt()
    assert schedule.time(between).item() == pytest.approx(10.5)
    assert schedule.time(torch.tensor([1e-6, 1e9])).tolist() == [0, 999]
