"""From settings to a sampler."""

from __future__ import annotations

from seqdis.core.diffusion.noise import karras_levels
from seqdis.core.diffusion.samplers.base import Sampler
from seqdis.core.diffusion.samplers.config import SamplerConfig
from seqdis.core.diffusion.samplers.ddim import DDIMSampler
from seqdis.core.diffusion.samplers.ddpm import DDPMSampler
from seqdis.core.diffusion.samplers.dpmpp import DPMSolverPP2MSampler
from seqdis.core.diffusion.samplers.edm import EDMSampler
from seqdis.core.diffusion.samplers.unipc import UniPCSampler

__all__ = ["build_inverter", "build_sampler"]


def build_sampler(config: SamplerConfig) -> Sampler:
    """The sampler that ``config`` describes.

    Raises:
        InputError: Its levels are not ``0 < sigma_min < sigma_max``.
    """
    c = config
    levels = karras_levels(c.steps, sigma_min=c.sigma_min, sigma_max=c.sigma_max, rho=c.rho)
    if c.kind == "edm":
        return EDMSampler(levels, s_churn=c.s_churn, s_tmin=c.s_tmin, s_tmax=c.s_tmax, s_noise=c.s_noise)
    if c.kind == "ddim":
        return DDIMSampler(levels, eta=c.eta, corrections=c.corrections)
    if c.kind == "unipc":
        return UniPCSampler(levels, order=c.order)
    return {"ddpm": DDPMSampler, "dpmpp": DPMSolverPP2MSampler}[c.kind](levels)


def build_inverter(config: SamplerConfig) -> Sampler:
    """The deterministic sampler on the same levels that finds the noise from which to sample.

    It is the sampler itself, without fresh noise; Heun's method where there is no such version.
    """
    calm = {"s_churn": 0.0, "eta": 0.0, "kind": "edm" if config.kind == "ddpm" else config.kind}
    return build_sampler(config.model_copy(update=calm))
