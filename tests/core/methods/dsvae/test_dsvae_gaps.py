"""DSVAE on sequences with gaps and padding: neither has any effect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.methods.dsvae import DSVAE, DSVAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.sequences import Sequences

FRAME, STEPS, SHORT = 8, 6, 4
MLP = BackboneConfig(kind="mlp", channels=32, multipliers=(1,))
BOTH = pytest.mark.parametrize("posterior", ["full", "factorised"])


def make(posterior: Any, *, frame_std: float = 0.5) -> DSVAE:
    torch.manual_seed(0)
    config = RunConfig(
        preset="tiny",
        modality="toy",
        method="dsvae",
        data=DataConfig(dataset="ramps", length=STEPS, frame_shape=(FRAME,)),
        model=DSVAEConfig(
            static_dim=5,
            dynamic_dim=3,
            posterior=posterior,
            features=16,
            hidden_dim=16,
            encoder=MLP,
            decoder=MLP,
            output="linear",
            frame_std=frame_std,
        ),
        train=TrainConfig(steps=1),
    )
    model = build_model(config).eval()
    assert isinstance(model, DSVAE)
    return model


def clips() -> Tensor:
    return torch.randn(2, STEPS, FRAME, generator=torch.Generator().manual_seed(5))


def rows() -> GeneratorStack:
    return GeneratorStack.shard(0, 2, slice(0, 2))


def gaps() -> dict[str, Tensor]:
    mask = torch.ones(2, STEPS, dtype=torch.bool)
    mask[1, SHORT:] = False
    observed = torch.rand(2, STEPS, FRAME, generator=torch.Generator().manual_seed(1)) < 0.7
    return {"mask": mask, "observed": observed & mask[..., None]}


@BOTH
@pytest.mark.parametrize("filling", [100.0, float("nan")])
def test_what_was_not_measured_changes_nothing(posterior: str, filling: float) -> None:
    model, x, missing = make(posterior), clips(), gaps()
    other = torch.where(missing["observed"], x, filling)
    one, two = (Sequences(frames, **missing) for frames in (x, other))
    assert torch.equal(model.encode(one).flatten(), model.encode(two).flatten())
    assert torch.equal(model.reconstruct(one), model.reconstruct(two))
    first, second = (model.loss(sequences, generator=rows()).loss for sequences in (one, two))
    torch.testing.assert_close(first, second, rtol=0, atol=0)


@BOTH
def test_all_observed_is_the_same_as_no_mask(posterior: str) -> None:
    model, x = make(posterior), clips()
    whole = Sequences(
        x, mask=torch.ones(2, STEPS, dtype=torch.bool), observed=torch.ones_like(x, dtype=torch.bool)
    )
    bare, masked = (model.loss(s, generator=rows()).terms for s in (Sequences(x), whole))
    torch.testing.assert_close(bare, masked)


@BOTH
@pytest.mark.parametrize("where", [[0, 1, 2, 3], [2, 3, 4, 5], [0, 2, 3, 5]])
def test_a_padded_sequence_is_the_short_one(posterior: str, where: list[int]) -> None:
    """Wherever the steps that do not exist stand, factors and all terms of the bound are those without them."""
    model, short = make(posterior), clips()[:, :SHORT]
    padded, mask = torch.full((2, STEPS, FRAME), 7.0), torch.zeros(2, STEPS, dtype=torch.bool)
    padded[:, where], mask[:, where] = short, True
    alone, behind = model.encode(short), model.encode(Sequences(padded, mask=mask))
    torch.testing.assert_close(behind.static, alone.static)
    torch.testing.assert_close(behind.dynamic[:, where], alone.dynamic)
    q, s, d = model.infer(short)
    q_padded, s_padded, d_padded = model.infer(torch.where(mask[..., None], padded, 0.0), mask)
    wanted = model.negative_elbo(short, q, s, d)
    weight = mask[..., None].float()
    found = model.negative_elbo(padded, q_padded, s_padded, d_padded, weight=weight, mask=mask)
    torch.testing.assert_close(found, wanted)


@BOTH
def test_only_measured_entries_have_a_likelihood(posterior: str) -> None:
    model, x, missing = make(posterior, frame_std=0.3), clips(), gaps()
    q, s, d = model.infer(x)
    weight = missing["observed"].float()
    found = model.negative_elbo(x, q, s, d, weight=weight)["reconstruction"]
    mean = model._frames(s, d).detach().numpy()
    expected = -(stats.norm.logpdf(x.numpy(), mean, 0.3) * weight.numpy()).sum((1, 2))
    np.testing.assert_allclose(found.detach().numpy(), expected, rtol=1e-5)
