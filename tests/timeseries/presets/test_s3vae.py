"""S3VAE's presets for series: sizes beside DiffSDA's, and a step on sequences with gaps."""

from __future__ import annotations

import pytest
import torch

from seqdis.core.config import apply_overrides
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.methods.s3vae.config import S3VAEConfig
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.sequences import Sequences
from seqdis.timeseries.presets import PRESETS


@pytest.mark.parametrize("name", ["physionet", "airq", "etth1"])
def test_factors_have_the_sizes_of_the_other_line(name: str) -> None:
    ours, other = PRESETS[f"s3vae-{name}"](), PRESETS[f"diffsda-{name}"]()
    assert isinstance(ours.model, S3VAEConfig)
    assert isinstance(other.model, DiffSDAConfig)
    sizes = (other.model.static_dim, other.model.dynamic_dim)
    assert (ours.model.static_dim, ours.model.dynamic_dim) == sizes
    assert (ours.data.dataset, ours.data.frame_shape) == (other.data.dataset, other.data.frame_shape)
    assert ours.data.options == other.data.options
    assert ours.data.length == (48 if name == "physionet" else other.data.length)
    assert ours.model.prediction_weight == 0  # series have no pseudo-label


def test_a_step_on_stays_with_gaps() -> None:
    model = build_model(apply_overrides(PRESETS["s3vae-physionet"](), ["data.length=12"]))
    observed = torch.rand(3, 12, 10) < 0.2
    mask = torch.arange(12) < torch.tensor([[12], [10], [8]])
    batch = Sequences(torch.randn(3, 12, 10), mask=mask, observed=observed, keys=["a", "b", "c"])
    out = model.loss(batch, generator=GeneratorStack.shard(0, 3, slice(0, 3)))
    out.loss.backward()  # type: ignore[no-untyped-call]
    assert set(out.terms) == {
        "reconstruction",
        "kl_static",
        "kl_dynamic",
        "consistency",
        "information",
        "information_share",
    }
    assert all(p.grad is None or bool(p.grad.isfinite().all()) for p in model.parameters())
