"""DSVAE's presets for time series."""

from __future__ import annotations

import pytest
import torch

from seqdis.core.config import apply_overrides
from seqdis.core.methods.dsvae import DSVAE, DSVAEConfig
from seqdis.core.pretrained import build_model
from seqdis.timeseries.presets import PRESETS


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("dsvae-")])
def test_a_preset_builds_a_model_of_series(name: str) -> None:
    config = apply_overrides(PRESETS[name](), ["frame_shape=[6]"])
    with torch.device("meta"):
        assert isinstance(build_model(config), DSVAE)
    assert isinstance(config.model, DSVAEConfig)
    assert (config.model.output, config.data.normalize) == ("linear", "channel")


def test_waves_are_encoded_and_decoded_with_half_of_them_missing() -> None:
    torch.manual_seed(0)
    model = build_model(PRESETS["dsvae-waves"]()).eval()
    x = torch.randn(2, 48, 6)
    x[torch.rand(x.shape) < 0.5] = float("nan")
    assert model.reconstruct(x).isfinite().all()
