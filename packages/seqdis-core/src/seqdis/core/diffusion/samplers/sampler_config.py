"""Settings of a sampler, as a preset stores them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from seqdis.core.config import Config

__all__ = ["SamplerConfig", "SamplerKind"]

SamplerKind = Literal["edm", "ddim", "ddpm", "dpmpp", "unipc"]


class SamplerConfig(Config):
    """Which sampler, its levels and its options.

    The levels are those of Karras et al. (2022, Eq. 5), or N steps of the discrete chain that the model was
    trained on; then ``sigma_min``, ``sigma_max`` and ``rho`` have no say.

    Evaluations of the network: ``NFE = 2·steps − 1`` of ``edm`` (DiffSDA, Alg. 1), ``steps`` of the others.
    """

    kind: SamplerKind = Field("edm", description="algorithm; docs/samplers.md compares them")
    steps: int = Field(32, ge=2, description="noise levels N above zero")
    levels: Literal["karras", "chain"] = Field(
        "karras", description="where the noise levels come from; chain: steps of the model's own"
    )
    spacing: Literal["trailing", "linspace"] = Field(
        "trailing", description="which steps of a chain; linspace takes both ends"
    )
    sigma_min: float = Field(0.002, gt=0)
    sigma_max: float = Field(80.0, gt=0)
    rho: float = Field(7.0, gt=0)
    s_churn: float = Field(0.0, ge=0, description="edm: fresh noise a trajectory; 0 is deterministic")
    s_tmin: float = Field(0.0, ge=0)
    s_tmax: float = Field(1e9, gt=0)
    s_noise: float = Field(1.0, gt=0)
    eta: float = Field(0.0, ge=0, le=1, description="ddim: fresh noise, 1 is DDPM")
    corrections: int = Field(0, ge=0, description="ddim: fixed-point rounds of each step of an inversion")
    order: int = Field(2, ge=1, le=3, description="unipc: order of the predictor")
    guidance: float = Field(1.0, ge=0, description="classifier-free guidance w; 1 is none")
    guidance_interval: tuple[float, float] = Field(
        (0.0, 1e9), description="levels σ, from and to, at which guidance is on"
    )
