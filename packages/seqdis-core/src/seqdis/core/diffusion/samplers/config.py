"""Settings of the EDM sampler, as a preset stores them."""

from __future__ import annotations

from pydantic import Field

from seqdis.core.config import Config

__all__ = ["SamplerConfig"]


class SamplerConfig(Config):
    """EDM Heun sampling (Karras et al. 2022, Alg. 2; DiffSDA, Alg. 1).

    The number of network evaluations is ``NFE = 2·steps − 1``.
    """

    steps: int = Field(32, ge=2, description="noise levels N above zero; NFE is 2N − 1")
    sigma_min: float = Field(0.002, gt=0)
    sigma_max: float = Field(80.0, gt=0)
    rho: float = Field(7.0, gt=0)
    s_churn: float = Field(0.0, ge=0, description="fresh noise a trajectory; 0 is deterministic")
    s_tmin: float = Field(0.0, ge=0)
    s_tmax: float = Field(1e9, gt=0)
    s_noise: float = Field(1.0, gt=0)
