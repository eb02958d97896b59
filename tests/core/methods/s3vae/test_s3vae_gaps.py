"""S3VAE on sequences with gaps: what was not measured is summed out."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from seqdis.core.config import DataConfig, RunConfig, TrainConfig
from seqdis.core.methods.s3vae import S3VAE, S3VAEConfig
from seqdis.core.methods.s3vae.config import PredictionConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.sequences import Sequences

FRAME, STEPS = 8, 6
MLP = BackboneConfig(kind="mlp", channels=32, multipliers=(1,))


def make(frame_std: float = 0.5) -> S3VAE:
    torch.manual_seed(0)
    config = RunConfig(
        preset="tiny",
        modality="toy",
        method="s3vae",
        data=DataConfig(dataset="ramps", length=STEPS, frame_shape=(FRAME,)),
        model=S3VAEConfig(
            static_dim=5,
            dynamic_dim=3,
            features=16,
            hidden_dim=16,
            encoder=MLP,
            decoder=MLP,
            output="linear",
            frame_std=frame_std,
            prediction=PredictionConfig(target="cells", width=4, loss="cross_entropy", hidden=16),
        ),
        train=TrainConfig(steps=1),
    )
    model = build_model(config).eval()
    assert isinstance(model, S3VAE)
    return model


def clips() -> Tensor:
    return torch.randn(2, STEPS, FRAME, generator=torch.Generator().manual_seed(5))


def cells() -> Tensor:
    return torch.eye(4)[torch.arange(2 * STEPS).view(2, STEPS) % 4]


def rows() -> GeneratorStack:
    return GeneratorStack.shard(0, 2, slice(0, 2))


def gaps() -> dict[str, Tensor]:
    mask = torch.ones(2, STEPS, dtype=torch.bool)
    mask[1, -2:] = False
    observed = torch.rand(2, STEPS, FRAME, generator=torch.Generator().manual_seed(1)) < 0.7
    return {"mask": mask, "observed": observed & mask[..., None]}


def test_what_was_not_measured_changes_nothing() -> None:
    model, x, missing = make(), clips(), gaps()
    other = torch.where(missing["observed"], x, 100.0)
    seen, unseen = (model.encode(Sequences(frames, **missing)).flatten() for frames in (x, other))
    assert torch.equal(seen, unseen)
    first, second = (
        model.loss(Sequences(frames, targets={"cells": cells()}, **missing), generator=rows())
        for frames in (x, other)
    )
    torch.testing.assert_close(first.loss, second.loss, rtol=0, atol=0)


def test_a_batch_without_gaps_is_the_same_with_and_without_a_mask() -> None:
    model, x = make(), clips()
    whole = {"mask": torch.ones(2, STEPS, dtype=torch.bool), "observed": torch.ones_like(x, dtype=torch.bool)}
    bare, masked = (
        model.loss(Sequences(x, targets={"cells": cells()}, **given), generator=rows())
        for given in ({}, whole)
    )
    torch.testing.assert_close(bare.terms, masked.terms)


def test_only_measured_entries_have_a_likelihood() -> None:
    model, x, missing = make(frame_std=0.3), clips(), gaps()
    q = model.posterior(model._features(x))
    s, d = q.static.mean, q.dynamic.mean
    weight = missing["observed"].float()
    found = model.negative_elbo(x, q, s, d, weight=weight)
    mean = model._frames(s, d).detach().numpy()
    expected = -(stats.norm.logpdf(x.numpy(), mean, 0.3) * weight.numpy()).sum((1, 2))
    np.testing.assert_allclose(found["reconstruction"].detach().numpy(), expected, rtol=1e-5)
    whole = model.negative_elbo(x, q, s, d)
    assert torch.equal(found["kl_static"], whole["kl_static"])
    assert torch.equal(found["kl_dynamic"], whole["kl_dynamic"])


def test_the_target_of_a_missing_step_is_not_predicted() -> None:
    model, x, missing = make(), clips(), gaps()
    targets = cells()
    moved = targets.clone()
    moved[1, -2:] = targets[1, -2:].roll(1, -1)
    first, second = (
        model.loss(Sequences(x, targets={"cells": t}, **missing), generator=rows()) for t in (targets, moved)
    )
    torch.testing.assert_close(first.terms["prediction"], second.terms["prediction"], rtol=0, atol=0)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary", "squared"])
def test_targets_of_padded_steps_change_nothing(loss: Literal["cross_entropy", "binary", "squared"]) -> None:
    model = make()
    assert model.config.prediction is not None
    model.config = model.config.model_copy(
        update={"prediction": model.config.prediction.model_copy(update={"loss": loss})}
    )
    mask = torch.arange(STEPS) < torch.tensor([[STEPS], [STEPS - 2]])
    values, slopes = [], []
    for fill in (0.0, 7.0, float("nan")):
        targets = {"cells": torch.where(mask[..., None], cells(), fill)}
        model.zero_grad()
        total = model.loss(Sequences(clips(), mask=mask, targets=targets), generator=rows()).loss
        total.backward()
        values.append(float(total.detach()))
        slopes.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
    assert values[0] == values[1] == values[2]
    assert torch.equal(slopes[0], slopes[1])
    assert torch.equal(slopes[0], slopes[2])
