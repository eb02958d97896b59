"""Fréchet distance between two sets of features."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.analysis import bootstrap
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.metric import Estimate

__all__ = ["frechet_distance", "frechet_score"]


def frechet_distance(first: Tensor, second: Tensor) -> float:
    """``‖μ₁ − μ₂‖² + tr(Σ₁ + Σ₂ − 2(Σ₁Σ₂)^½)`` of the Gaussians that fit two sets (Dowson & Landau 1982).

    It is FID with Inception's features (Heusel et al. 2017) and FVD with I3D's. The trace of the root is the sum
    of the roots of the eigenvalues of ``Σ₁^½ Σ₂ Σ₁^½``, a symmetric matrix, so that no imaginary part arises.
    Small samples bias it upwards: compare sets of equal sizes only.

    Args:
        first: ``(N, F)``.
        second: ``(M, F)``.

    Returns:
        The distance in squared units of the features.

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


def frechet_score(
    first: Tensor,
    second: Tensor,
    *,
    rows: int = 1,
    resamples: int = 50,
    generator: torch.Generator | None = None,
) -> Estimate:
    """:func:`frechet_distance` with a bootstrap interval over both sets, centred on the distance.

    A draw with replacement holds fewer different rows, which alone raises the distance; the draws are therefore
    shifted so that their mean is the distance of the sets as they are, and only their spread counts.

    With ``A`` and ``B`` the centred rows over ``√(n − 1)``, the trace of the root is the nuclear norm of ``A·Bᵀ``: a
    matrix of the number of rows, not of features, where those are the fewer.

    Args:
        first: ``(N, F)``.
        second: ``(M, F)``.
        rows: Consecutive rows that belong together (the frames of a clip), and are drawn together.
        resamples: Number of draws of the bootstrap; 0 for none.
        generator: Random generator of its draws.

    Raises:
        InputError: See :func:`frechet_distance`; or ``rows`` does not divide N and M.
    """
    value = frechet_distance(first, second)
    if len(first) % rows or len(second) % rows:
        raise InputError(
            f"clips of {rows} rows: {len(first)} and {len(second)} rows are no whole number of them"
        )
    sizes, interval = (len(first) // rows, len(second) // rows), None
    if resamples and min(sizes) > 1:
        generator = generator or torch.Generator().manual_seed(0)
        sets = [x.double().unflatten(0, (-1, rows)) for x in (first, second)]

        def distance(chosen: Tensor) -> float:
            other = torch.randint(sizes[1], (sizes[1],), generator=generator)
            a, b = (x[index].flatten(0, 1) for x, index in zip(sets, (chosen, other), strict=True))
            return _distance_by_rows(a, b)

        interval = bootstrap(distance, sizes[0], generator=generator, resamples=resamples, centre=value)
        interval = (max(0.0, min(interval[0], value)), max(interval[1], value))
    return Estimate(unit="distance²", value=value, ci95=interval, n=len(first), direction="lower")


def _distance_by_rows(a: Tensor, b: Tensor) -> float:
    means = a.mean(0), b.mean(0)
    parts = [(x - mean) / (len(x) - 1) ** 0.5 for x, mean in zip((a, b), means, strict=True)]
    spread = sum(float(part.square().sum()) for part in parts)
    # Of more rows than features only R of A = Q·R matters: Q has no say in the singular values.
    small = [torch.linalg.qr(part, mode="r").R if len(part) > part.shape[1] else part for part in parts]
    cross = torch.linalg.svdvals(small[0] @ small[1].T).sum()
    return float((means[0] - means[1]).square().sum()) + spread - 2 * float(cross)
