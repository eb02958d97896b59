from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from seqdis.core.methods.vdsm.gaussian_layer import GaussianLayer, log_softplus
from seqdis.core.methods.vdsm.state_space import Combiner, GatedTransition

POSE, ACTION = 3, 2


def arrays(module: torch.nn.Module) -> dict[str, np.ndarray]:
    return {name: value.detach().double().numpy() for name, value in module.named_parameters()}


def softplus(x: np.ndarray) -> np.ndarray:
    return np.log1p(np.exp(x))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.fixture
def u() -> tuple[Tensor, Tensor]:
    g = torch.Generator().manual_seed(0)
    return torch.randn(5, POSE, generator=g), torch.randn(5, ACTION, generator=g)


def test_the_transition_is_equation_6(u: tuple[Tensor, Tensor]) -> None:
    torch.manual_seed(1)
    transition = GatedTransition(pose=POSE, action=ACTION, hidden=7)
    torch.nn.init.normal_(transition.linear.weight)
    w = arrays(transition)

    def f(name: str, x: np.ndarray) -> np.ndarray:
        return np.asarray(x @ w[f"{name}.weight"].T + w[f"{name}.bias"])

    x = torch.cat(u, 1).double().numpy()
    gate = sigmoid(f("gate.2", np.maximum(f("gate.0", x), 0)))
    proposal = f("proposal.2", np.maximum(f("proposal.0", x), 0))
    got = transition(*u)
    np.testing.assert_allclose(
        got.mean.detach(), gate * proposal + (1 - gate) * f("linear", x), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        got.std.detach(), softplus(f("scale", np.maximum(proposal, 0))), rtol=1e-4, atol=1e-5
    )


def test_a_fresh_closed_gate_keeps_the_pose(u: tuple[Tensor, Tensor]) -> None:
    transition = GatedTransition(pose=POSE, action=ACTION, hidden=7)
    torch.nn.init.constant_(transition.gate[2].bias, -50.0)  # type: ignore[arg-type]
    torch.testing.assert_close(transition(*u).mean, u[0])


def test_the_combiner_is_equation_5() -> None:
    torch.manual_seed(1)
    combiner = Combiner(pose=POSE, state=4)
    z, state = torch.randn(5, POSE), torch.randn(5, 4)
    w = arrays(combiner)
    c = 0.5 * (
        np.tanh(z.double().numpy() @ w["previous.weight"].T + w["previous.bias"]) + state.double().numpy()
    )
    got = combiner(z, state)
    np.testing.assert_allclose(
        got.mean.detach(), c @ w["gaussian.mean.weight"].T + w["gaussian.mean.bias"], rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        got.std.detach(), softplus(c @ w["gaussian.scale.weight"].T + w["gaussian.scale.bias"]), rtol=1e-4
    )


def test_the_logarithm_of_a_softplus_is_finite_everywhere() -> None:
    x = torch.tensor([-200.0, -30.0, -5.0, 0.0, 3.0, 200.0], requires_grad=True)
    got = log_softplus(x)
    expected = [
        math.log(math.log1p(math.exp(v))) if -40 < v < 100 else v if v < 0 else math.log(v)
        for v in x.tolist()
    ]
    torch.testing.assert_close(got, torch.tensor(expected), rtol=1e-5, atol=1e-5)
    (slope,) = torch.autograd.grad(got.sum(), x)
    assert torch.isfinite(slope).all()
    torch.testing.assert_close(slope[:2], torch.ones(2))


def test_a_gaussian_layer_is_in_float32() -> None:
    q = GaussianLayer(4, 2).bfloat16()(torch.randn(3, 4).bfloat16())
    assert q.mean.dtype == q.log_std.dtype == torch.float32
