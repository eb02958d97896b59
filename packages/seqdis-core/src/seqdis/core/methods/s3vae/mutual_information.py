"""Mutual information of two latents, by minibatch weighted sampling."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.nn.gaussian import DiagonalGaussian

__all__ = ["pairwise_log_density", "weighted_mutual_information"]


def pairwise_log_density(posterior: DiagonalGaussian, drawn: Tensor) -> Tensor:
    """``ln q(z(x_i) | x_j)`` of every pair of a batch, ``(…, i, j)``.

    Args:
        posterior: The posteriors ``q(z | x_j)`` of a batch, ``(M, …, D)``.
        drawn: One draw ``z(x_i)`` from each posterior, ``(M, …, D)``.
    """
    return posterior[None].log_density(drawn[:, None]).movedim((0, 1), (-2, -1))


def weighted_mutual_information(first: Tensor, second: Tensor, *, sequences: int) -> Tensor:
    """``H(z₁) + H(z₂) − H(z₁, z₂)`` in nats (S3VAE, Eq. 7), each entropy by minibatch weighted sampling.

    ``E ln q(z) ≈ 1/M Σ_i [ln Σ_j q(z(x_i) | x_j) − ln NM]`` (S3VAE, Eq. 8 and App. A; Chen et al. 2018),
    with ``q(z₁, z₂ | x) = q(z₁ | x) q(z₂ | x)``.

    Args:
        first: ``ln q(z₁(x_i) | x_j)``, ``(…, M, M)``; the leading dimensions of both broadcast.
        second: ``ln q(z₂(x_i) | x_j)``, ``(…, M, M)``.
        sequences: Number of training sequences, N.

    Returns:
        One value for each leading index.

    Raises:
        InputError: The matrices are not square, or N is smaller than one.
    """
    size = first.shape[-1]
    if first.shape[-2:] != (size, size) or second.shape[-2:] != (size, size) or sequences < 1:
        raise InputError(
            f"mutual information needs (…, M, M) twice and N ≥ 1; got {tuple(first.shape)}, "
            f"{tuple(second.shape)} and {sequences}"
        )

    def expected(pairs: Tensor) -> Tensor:
        return (torch.logsumexp(pairs, dim=-1) - math.log(sequences * size)).mean(-1)

    return expected(first + second) - expected(first) - expected(second)
