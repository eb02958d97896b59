"""Samplers: what takes noise to frames, made from their settings and handed to ``decode``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqdis.core.lazy import lazy_names

if TYPE_CHECKING:
    from seqdis.core.diffusion.samplers.base import Sampler, fresh_noise
    from seqdis.core.diffusion.samplers.ddim import DDIMConfig, DDIMSampler
    from seqdis.core.diffusion.samplers.ddpm import DDPMConfig, DDPMSampler
    from seqdis.core.diffusion.samplers.dpmpp import DPMPPConfig, DPMPPSampler
    from seqdis.core.diffusion.samplers.edm import EDMConfig, EDMSampler
    from seqdis.core.diffusion.samplers.sampler_config import AnySamplerConfig, SamplerConfig
    from seqdis.core.diffusion.samplers.sampler_state import Estimate, SampleResult, SamplerState
    from seqdis.core.diffusion.samplers.unipc import UniPCConfig, UniPCSampler

__all__ = [
    "AnySamplerConfig",
    "DDIMConfig",
    "DDIMSampler",
    "DDPMConfig",
    "DDPMSampler",
    "DPMPPConfig",
    "DPMPPSampler",
    "EDMConfig",
    "EDMSampler",
    "Estimate",
    "SampleResult",
    "Sampler",
    "SamplerConfig",
    "SamplerState",
    "UniPCConfig",
    "UniPCSampler",
    "fresh_noise",
]

_HOMES = {
    "base": ["Sampler", "fresh_noise"],
    "ddim": ["DDIMConfig", "DDIMSampler"],
    "ddpm": ["DDPMConfig", "DDPMSampler"],
    "dpmpp": ["DPMPPConfig", "DPMPPSampler"],
    "edm": ["EDMConfig", "EDMSampler"],
    "sampler_config": ["AnySamplerConfig", "SamplerConfig"],
    "sampler_state": ["Estimate", "SampleResult", "SamplerState"],
    "unipc": ["UniPCConfig", "UniPCSampler"],
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
