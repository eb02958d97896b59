"""Fréchet distance between two sets of features."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.data.sequence import check_finite
from seqdis.core.errors import InputError

__all__ = ["frechet_distance"]


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """``‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)`` of the Gaussians that fit two sets (Dowson & Landau 1982).

    It is FID with Inception's features (Heusel et al. 2017) and FVD with I3D's. The trace of the root is the sum
    of the roots of the eigenvalues of ``Σ₁^½ Σ₂ Σ₁^½``, a symmetric matrix, so that no imaginary part arises.
    Small samples bias it upwards: compare sets of equal sizes only.

    Args:
        first: ``(N, F)``.
        second: ``(M, F)``.

    Returns:
        In squared units of the features.

    Raises:
        InputError: A set has fewer than two rows, the widths differ, or a value is not finite.
    """
    for value in (first, second):
        if value.ndim != 2 or len(value) < 2 or value.shape[1] != first.shape[1]:
            raise InputError(
                "a Fréchet distance needs features (N, F) and (M, F) with N, M ≥ 2; "
                f"got {tuple(first.shape)} and {tuple(second.shape)}"
            )
        check_finite(value, "features")
    a, b = first.double(), second.double()
    means, covariances = (a.mean(0), b.mean(0)), (torch.atleast_2d(a.T.cov()), torch.atleast_2d(b.T.cov()))
    values, vectors = torch.linalg.eigh(covariances[0])
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    cross = torch.linalg.eigvalsh(root @ covariances[1] @ root).clamp(min=0).sqrt().sum()
    distance = (means[0] - means[1]).square().sum() + sum(c.trace() for c in covariances) - 2 * cross
    return max(0.0, float(distance))
