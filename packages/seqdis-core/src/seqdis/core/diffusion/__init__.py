"""Diffusion: noise levels, denoisers and their loss, guidance and samplers."""

from seqdis.core.diffusion import samplers

__all__ = ["samplers"]
