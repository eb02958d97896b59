"""From settings to a sampler."""

from __future__ import annotations

from torch import Tensor

from seqdis.core.diffusion.noise import DiscreteSchedule, karras_levels
from seqdis.core.diffusion.samplers.base import Sampler
from seqdis.core.diffusion.samplers.ddim import DDIMSampler
from seqdis.core.diffusion.samplers.ddpm import DDPMSampler
from seqdis.core.diffusion.samplers.dpmpp import DPMSolverPP2MSampler
from seqdis.core.diffusion.samplers.edm import EDMSampler
from seqdis.core.diffusion.samplers.sampler_config import SamplerConfig
from seqdis.core.diffusion.samplers.unipc import UniPCSampler
from seqdis.core.errors import InputError

__all__ = ["build_inverter", "build_sampler"]


def _levels(c: SamplerConfig, chain: DiscreteSchedule | None) -> Tensor:
    if c.levels == "karras":
        return karras_levels(c.steps, sigma_min=c.sigma_min, sigma_max=c.sigma_max, rho=c.rho)
    if chain is None:
        raise InputError("sampler.levels 'chain': this model was not trained on one; allowed: 'karras'")
    return chain.levels(c.steps, spacing=c.spacing)


def build_sampler(config: SamplerConfig, *, chain: DiscreteSchedule | None = None) -> Sampler:
    """The sampler that ``config`` describes.

    Args:
        config: Of the sampler.
        chain: What the model was trained on, if that is discrete.

    Raises:
        InputError: Its levels are not ``0 < sigma_min < sigma_max``, or more than the chain has; or it asks
            for those of a chain and there is none.
    """
    c = config
    levels = _levels(c, chain)
    if c.kind == "edm":
        return EDMSampler(levels, s_churn=c.s_churn, s_tmin=c.s_tmin, s_tmax=c.s_tmax, s_noise=c.s_noise)
    if c.kind == "ddim":
        return DDIMSampler(levels, eta=c.eta, corrections=c.corrections)
    if c.kind == "unipc":
        return UniPCSampler(levels, order=c.order)
    return {"ddpm": DDPMSampler, "dpmpp": DPMSolverPP2MSampler}[c.kind](levels)


def build_inverter(config: SamplerConfig, *, chain: DiscreteSchedule | None = None) -> Sampler:
    """The deterministic sampler on the same levels that finds the noise from which to sample.

    It is the sampler itself, without fresh noise; Heun's method where there is no such version.
    """
    calm = {"s_churn": 0.0, "eta": 0.0, "kind": "edm" if config.kind == "ddpm" else config.kind}
    return build_sampler(config.model_copy(update=calm), chain=chain)
