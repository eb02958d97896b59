"""S3VAE's ELBO on a linear-Gaussian model, whose likelihood and posterior are known exactly."""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy import stats
from tests.core.methods.s3vae.tiny_s3vae import FRAME, STEPS, configure, rows
from torch import Tensor, nn

from seqdis.core.methods.s3vae import S3VAE, S3VAEConfig
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.nn.recurrent_gaussian import FactorPosterior

# A linear-Gaussian model: x^τ = (A s, C d^τ) + noise, d^τ = a·d^{τ−1} + noise, everything known.

S, D, A_STEP, NOISE = 2, 1, 0.8, 0.6


class Line(nn.Module):
    """The decoder ``x = [A s, C d]``."""

    def __init__(self) -> None:
        super().__init__()
        g = torch.Generator().manual_seed(2)
        self.a, self.c = torch.randn(3, S, generator=g).double(), torch.randn(5, D, generator=g).double()

    def forward(self, z: Tensor) -> Tensor:
        return torch.cat([z[:, :S] @ self.a.T, z[:, S:] @ self.c.T], dim=1)


class Walk(nn.Module):
    """``d^τ ~ N(a·d^{τ−1}, b²)`` with the variance of ``d^1`` one."""

    def __init__(self, step: float) -> None:
        super().__init__()
        self.step = step

    def forward(self, d: Tensor) -> DiagonalGaussian:
        before = torch.cat([torch.zeros_like(d[:, :1]), d[:, :-1]], 1)
        spread = torch.full_like(d, math.log(math.sqrt(1 - self.step**2)))
        spread[:, 0] = 0
        return DiagonalGaussian(self.step * before, spread)


class Linear(nn.Module):
    """The best posterior that Eq. 4 allows when ``d`` does not walk: each factor's own regression."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self.line = line

    def forward(self, x: Tensor) -> FactorPosterior:
        def regress(design: Tensor, total: Tensor, count: int) -> DiagonalGaussian:
            # Precision I + n·WᵀW/σ²; diagonal, for the toy's columns are made orthogonal.
            precision = 1 + count * design.square().sum(0) / NOISE**2
            mean = total @ design / NOISE**2 / precision
            return DiagonalGaussian(mean, (-0.5 * precision.log()).expand_as(mean))

        static = regress(self.line.a, x[..., :3].sum(1), x.shape[1])
        return FactorPosterior(static, regress(self.line.c, x[..., 3:], 1))


def toy(step: float) -> S3VAE:
    line = Line()
    line.a[:, 1] -= line.a[:, 0] * (line.a[:, 0] @ line.a[:, 1]) / (line.a[:, 0] @ line.a[:, 0])
    config = configure(
        static_dim=S, dynamic_dim=D, frame_std=NOISE, prediction_weight=0, consistency_weight=0,
        information_weight=0,
    ).model  # fmt: skip
    assert isinstance(config, S3VAEConfig)
    model = S3VAE(
        frame_shape=(FRAME,),
        frame_encoder=nn.Identity(),
        posterior=Linear(line),
        dynamics=Walk(step),  # type: ignore[arg-type]
        frame_decoder=line,
        config=config,
    )
    return model.double()


def exact(model: S3VAE, x: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Log-likelihood of one clip ``(V, 8)``, and the exact posterior of ``(s, d^{1:V})``: mean and covariance."""
    steps, line = len(x), model.frame_decoder
    assert isinstance(line, Line)
    assert isinstance(model.dynamics, Walk)
    lags = np.abs(np.subtract.outer(np.arange(steps), np.arange(steps)))
    prior = np.zeros((S + steps * D, S + steps * D))
    prior[:S, :S], prior[S:, S:] = np.eye(S), model.dynamics.step**lags
    design = np.zeros((steps * FRAME, S + steps * D))
    for v in range(steps):
        design[v * FRAME : v * FRAME + 3, :S] = line.a.numpy()
        design[v * FRAME + 3 : (v + 1) * FRAME, S + v * D : S + (v + 1) * D] = line.c.numpy()
    covariance = design @ prior @ design.T + NOISE**2 * np.eye(steps * FRAME)
    gain = prior @ design.T @ np.linalg.inv(covariance)
    likelihood = float(stats.multivariate_normal(cov=covariance).logpdf(x.ravel()))
    return likelihood, gain @ x.ravel(), prior - gain @ design @ prior


def elbo(model: S3VAE, x: Tensor, *, seed: int) -> Tensor:
    """Of many copies of one clip, each with a draw of its own, ``(B,)``."""
    q = model.posterior(x)
    s, d = q.static.draw(rows(len(x), seed)), q.dynamic.draw(rows(len(x), seed + 1))
    return -torch.stack(list(model.negative_elbo(x, q, s, d).values())).sum(0)


def test_with_the_exact_posterior_the_elbo_is_the_likelihood() -> None:
    model = toy(0.0)  # without a walk, Eq. 4 holds the exact posterior
    x = torch.randn(1, STEPS, FRAME, dtype=torch.float64)
    count = 40_000
    values = elbo(model, x.expand(count, -1, -1), seed=0)
    likelihood, _, _ = exact(model, x[0].numpy())
    error = float(values.std()) / count**0.5
    assert abs(float(values.mean()) - likelihood) < 4 * error
    assert error < 0.02


def test_otherwise_the_elbo_falls_short_by_the_divergence_from_the_exact_posterior() -> None:
    model = toy(A_STEP)
    x = torch.randn(1, STEPS, FRAME, dtype=torch.float64)
    count = 40_000
    values = elbo(model, x.expand(count, -1, -1), seed=3)
    likelihood, mean, covariance = exact(model, x[0].numpy())
    q = model.posterior(x)
    q_mean = torch.cat([q.static.mean[0], q.dynamic.mean[0].flatten()]).numpy()
    q_variance = torch.cat([q.static.std[0], q.dynamic.std[0].flatten()]).numpy() ** 2
    inverse, shift = np.linalg.inv(covariance), mean - q_mean
    divergence = 0.5 * float(
        np.trace(inverse @ np.diag(q_variance)) + shift @ inverse @ shift - len(mean)
        + np.linalg.slogdet(covariance)[1] - np.log(q_variance).sum()
    )  # fmt: skip
    assert divergence > 0.1
    error = float(values.std()) / count**0.5
    assert abs(float(values.mean()) - (likelihood - divergence)) < 4 * error
