"""VDSM's ELBO on linear-Gaussian sequences, whose likelihood and posterior are known exactly."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from scipy.stats import multivariate_normal
from torch import Tensor, nn

from seqdis.core.methods.vdsm import VDSM, VDSMConfig
from seqdis.core.methods.vdsm.pose_inference import InferredPoses
from seqdis.core.nn.gaussian import DiagonalGaussian
from seqdis.core.random import GeneratorStack
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of

STEPS, COPIES = 4, 8192
A, C = 0.9, 0.7  # how s and z show in a frame: two numbers for s, one for z
F, G, Q = 0.8, 0.5, 0.6  # z^τ = F z^{τ−1} + G d + Q ε
R = 0.4  # the noise of an observation
SPREAD = 1.3  # what makes a posterior wrong


def joint(stage: str) -> tuple[Tensor, Tensor]:
    """Covariances of ``(d, z^{1:V})`` and of those with the poses' observations ``(d, z^{1:V}, y^{1:V})``."""
    size = 1 + STEPS
    mix = torch.zeros(size, size, dtype=torch.float64)  # (d, z) as sums of independent normals
    mix[0, 0] = mix[1, 1] = 1
    for t in range(2, size):
        if stage == "frames":
            mix[t, t] = 1
        else:
            mix[t] = F * mix[t - 1]
            mix[t, 0] += G
            mix[t, t] += Q
    latent = mix @ mix.T
    see = torch.cat([torch.eye(size).double(), C * torch.eye(size).double()[1:]])
    noise = torch.diag(torch.tensor([0.0] * size + [R**2] * STEPS).double())
    return latent, see @ latent @ see.T + noise


def conditional(cov: Tensor, target: int, given: list[int], values: Tensor) -> DiagonalGaussian:
    """One coordinate of a centred Gaussian given others, ``values (B, len(given))``."""
    weights = torch.linalg.solve(cov[given][:, given], cov[given, target])
    variance = cov[target, target] - cov[target, given] @ weights
    mean = (values.double() @ weights).float()[:, None]
    return DiagonalGaussian(mean, torch.full_like(mean, float(0.5 * variance.log())))


class Identity(nn.Module):
    def forward(self, features: Tensor, mask: Tensor | None = None) -> DiagonalGaussian:
        precision = 1 + STEPS * A**2 / R**2
        mean = A * features[..., :2].sum(1) / R**2 / precision
        return DiagonalGaussian(mean, torch.full_like(mean, precision**-0.5).log())


class Poses(nn.Module):
    """The exact posterior of poses, or one that is too wide by a factor."""

    def __init__(self, stage: str, spread: float) -> None:
        super().__init__()
        self.cov, self.spread = joint(stage)[1], spread

    def wide(self, q: DiagonalGaussian) -> DiagonalGaussian:
        return DiagonalGaussian(q.mean, q.log_std + torch.tensor(self.spread).log())

    def forward(self, y: Tensor) -> DiagonalGaussian:
        """Of a frame alone."""
        q = conditional(self.cov, 1, [1 + STEPS], y[..., 2].reshape(-1, 1))
        return self.wide(DiagonalGaussian(q.mean.view(*y.shape[:2], 1), q.log_std.view(*y.shape[:2], 1)))

    def action(self, y: Tensor, mask: Tensor | None = None) -> DiagonalGaussian:
        return conditional(self.cov, 0, list(range(1 + STEPS, 1 + 2 * STEPS)), y[..., 2])

    def poses(self, y: Tensor, action: Tensor, *, generator: GeneratorStack) -> InferredPoses:
        observed, z, qs = list(range(1 + STEPS, 1 + 2 * STEPS)), [], []
        for t in range(STEPS):
            given, values = [0, *observed], torch.cat([action, y[..., 2]], 1)
            if t:
                given, values = [*given, t], torch.cat([values, z[-1]], 1)
            qs.append(self.wide(conditional(self.cov, 1 + t, given, values)))
            z.append(qs[-1].draw(generator))
        stacked = DiagonalGaussian(
            torch.stack([q.mean for q in qs], 1), torch.stack([q.log_std for q in qs], 1)
        )
        return InferredPoses(torch.stack(z, 1), stacked)


class Transition(nn.Module):
    def forward(self, z: Tensor, d: Tensor) -> DiagonalGaussian:
        return DiagonalGaussian(F * z + G * d, torch.full_like(z, Q).log())


class Decoder(nn.Module):
    def forward(self, s: Tensor, mixture: Tensor, z: Tensor) -> Tensor:
        return torch.cat([A * s[:, None].expand(-1, z.shape[1], -1), C * z], dim=2)


def build(stage: str, spread: float) -> VDSM:
    sizes: dict[str, Any] = {"static_dim": 2, "action_dim": 1, "pose_dim": 1, "features": 3, "recurrent": 1}
    model = VDSM(
        frame_shape=(3,),
        encoder=nn.Identity(),
        identity=Identity(),
        pose_head=nn.Identity(),
        frame_pose=Poses(stage, spread),
        inference=Poses(stage, spread),  # type: ignore[arg-type]
        transition=Transition(),
        decoder=Decoder(),
        config=VDSMConfig(
            **sizes,
            encoder_channels=(1,),
            decoder_channels=(1,),
            transition=1,
            likelihood="gaussian",
            observation_std=R,
        ),
    )
    hooks_of(model).on_stage(stage)
    return model.eval()


def exact(x: Tensor, stage: str) -> float:
    """``ln p(x^{1:V})`` from the covariance of all observations."""
    poses = joint(stage)[1][1 + STEPS :, 1 + STEPS :].numpy()
    looks = A**2 * torch.ones(STEPS, STEPS) + R**2 * torch.eye(STEPS)
    return float(
        multivariate_normal(cov=poses).logpdf(x[:, 2].numpy())
        + sum(multivariate_normal(cov=looks.numpy()).logpdf(x[:, i].numpy()) for i in (0, 1))
    )


@pytest.mark.parametrize("stage", ["frames", "sequences"])
def test_the_elbo_is_the_likelihood_where_the_posterior_is_exact(stage: str) -> None:
    x = torch.randn(STEPS, 3, generator=torch.Generator().manual_seed(0))
    elbo = {}
    for spread in (1.0, SPREAD):
        source = GeneratorStack.shard(1, COPIES, slice(0, COPIES))
        many = Sequences(x.expand(COPIES, -1, -1))
        with torch.no_grad():
            elbo[spread] = float(build(stage, spread).loss(many, generator=source).terms["elbo"])
    # One draw has a deviation of about two nats; 8192 of them, of 0.02.
    assert elbo[1.0] == pytest.approx(exact(x, stage), abs=0.08)
    # What is lost is KL(q ‖ p(·|x)): of each pose, ln(1/c) + (c² − 1)/2 for a Gaussian that is too wide by c.
    lost = STEPS * (SPREAD**2 - 1 - torch.tensor(SPREAD**2).log().item()) / 2
    assert exact(x, stage) - elbo[SPREAD] == pytest.approx(lost, abs=0.1)
