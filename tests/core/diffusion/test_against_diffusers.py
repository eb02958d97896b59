"""Values against an independent implementation: diffusers' schedulers around the same network.

Theirs run in the variance-preserving variable ``x_t = √ᾱ_t·x``; ours in ``x``.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seqdis.core.diffusion.noise import cosine_schedule, karras_levels, linear_schedule
from seqdis.core.diffusion.preconditioning import EpsilonPreconditioning
from seqdis.core.diffusion.samplers.base import Sampler
from seqdis.core.diffusion.samplers.ddim import DDIMSampler
from seqdis.core.diffusion.samplers.dpmpp import DPMPPSampler
from seqdis.core.diffusion.samplers.edm import EDMSampler
from seqdis.core.diffusion.samplers.unipc import UniPCSampler

diffusers = pytest.importorskip("diffusers", reason="diffusers, the peer, is not installed")

SCHEDULE = linear_schedule()
COMMON = {"num_train_timesteps": 1000, "beta_start": 1e-4, "beta_end": 0.02, "beta_schedule": "linear"}


def network(x: Tensor, t: Tensor) -> Tensor:
    """Some smooth ε_θ(x_t, t)."""
    return torch.tanh(x * 1.3 + 0.2) * (0.4 + 0.6 * t.view(-1, 1) / 1000) + 0.1 * x.flip(1)


def denoise(x: Tensor, sigma: float) -> Tensor:
    c = EpsilonPreconditioning(SCHEDULE)(torch.full((len(x),), sigma, dtype=x.dtype))
    return x + c.c_out.view(-1, 1) * network(c.c_in.view(-1, 1) * x, c.c_noise)


def peer(scheduler: Any, steps: int, x_t: Tensor) -> Tensor:
    scheduler.set_timesteps(steps)
    for t in scheduler.timesteps:
        x_t = scheduler.step(
            network(x_t, torch.full((len(x_t),), float(t))), t, x_t, return_dict=True
        ).prev_sample
    return x_t


def ours(sampler: Sampler, x_t: Tensor) -> Tensor:
    """Start from the same point: x = x_t/√ᾱ_T."""
    return sampler.sample(denoise, x_t * (1 + sampler.sigma_max**2) ** 0.5).x


def draw() -> Tensor:
    return torch.randn(16, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("steps", [10, 50])
def test_ddim(steps: int) -> None:
    theirs = peer(
        diffusers.DDIMScheduler(**COMMON, clip_sample=False, timestep_spacing="trailing"), steps, draw()
    )
    torch.testing.assert_close(
        ours(DDIMSampler(steps=steps).on(SCHEDULE), draw()), theirs, rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("steps", [10, 30])
def test_dpmpp(steps: int) -> None:
    scheduler = diffusers.DPMSolverMultistepScheduler(
        **COMMON, solver_order=2, timestep_spacing="trailing", final_sigmas_type="zero"
    )
    theirs = peer(scheduler, steps, draw())
    mine = ours(DPMPPSampler(steps=steps).on(SCHEDULE), draw())
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("steps", [10, 30])
def test_unipc(steps: int) -> None:
    scheduler = diffusers.UniPCMultistepScheduler(
        **COMMON, solver_order=2, timestep_spacing="trailing", final_sigmas_type="zero"
    )
    theirs = peer(scheduler, steps, draw())
    mine = ours(UniPCSampler(steps=steps, order=2).on(SCHEDULE), draw())
    torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-5)


def test_heun() -> None:
    scheduler = diffusers.HeunDiscreteScheduler(**COMMON, timestep_spacing="linspace")
    scheduler.set_timesteps(20)
    x = draw() * SCHEDULE.sigmas[-1]
    for t in scheduler.timesteps:
        scaled = scheduler.scale_model_input(x, t)
        x = scheduler.step(network(scaled, torch.full((len(x),), float(t))), t, x).prev_sample
    start = draw() * SCHEDULE.sigmas[-1]
    levels = torch.tensor(scheduler.sigmas[torch.tensor([0, *range(1, 39, 2), 39])].tolist()).double()
    mine = EDMSampler(levels=levels.tolist()).sample(denoise, start).x
    torch.testing.assert_close(mine, x, rtol=1e-4, atol=1e-4)


def test_schedules() -> None:
    linear = diffusers.DDPMScheduler(**COMMON)
    cosine = diffusers.DDPMScheduler(num_train_timesteps=1000, beta_schedule="squaredcos_cap_v2")
    for mine, theirs in ((linear_schedule(), linear), (cosine_schedule(), cosine)):
        torch.testing.assert_close(mine.betas.float(), theirs.betas, rtol=1e-4, atol=1e-7)
    edm = diffusers.EDMEulerScheduler(sigma_min=0.002, sigma_max=80.0, rho=7.0)
    edm.set_timesteps(32)
    torch.testing.assert_close(karras_levels(32).float(), edm.sigmas, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("spacing", ["linspace", "trailing"])
def test_timesteps(spacing: str) -> None:
    scheduler = diffusers.DDIMScheduler(**COMMON, timestep_spacing=spacing)
    scheduler.set_timesteps(20)
    assert SCHEDULE.timesteps(20, spacing=spacing).tolist() == scheduler.timesteps.tolist()  # type: ignore[arg-type]
