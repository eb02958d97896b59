"""DSVAE's presets for video: the paper's sizes, and a small one that learns on a CPU."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from seqdis.core.methods.dsvae import DSVAE, DSVAEConfig
from seqdis.core.pretrained import build_model
from seqdis.core.registry import build_dataset
from seqdis.video.presets import PRESETS


def test_the_papers_sprites() -> None:
    preset = PRESETS["dsvae-sprites"]()
    m, t = preset.model, preset.train
    assert isinstance(m, DSVAEConfig)
    assert (preset.data.length, preset.data.frame_shape) == (8, (3, 64, 64))
    assert (m.static_dim, m.dynamic_dim, m.hidden_dim, m.layer_norm) == (256, 32, 512, False)
    assert [m.encoder.channels * k for k in m.encoder.multipliers] == [256] * 4
    assert (m.kl_static_weight, m.kl_dynamic_weight) == (1, 1)
    assert (t.epochs, t.batch_size, t.lr, t.betas, t.weight_decay) == (200, 25, 2e-4, (0.9, 0.999), 0)


@pytest.mark.parametrize("posterior", ["full", "factorised"])
@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("dsvae-")])
def test_every_preset_builds_its_model_in_both_forms(name: str, posterior: str) -> None:
    config = PRESETS[name]()
    model_config = config.model.model_copy(update={"posterior": posterior})
    with torch.device("meta"):
        model = build_model(config.model_copy(update={"model": model_config}))
    assert isinstance(model, DSVAE)


def test_the_small_preset_learns_on_a_cpu(few_updates: Callable[..., list[float]]) -> None:
    config = PRESETS["dsvae-shapes"]()
    torch.manual_seed(0)
    model, data = build_model(config), build_dataset("video", config.data, "train")
    model.normalizer.fit(data)
    losses = few_updates(model, data, steps=40, lr=config.train.lr)
    assert sum(losses[-5:]) < sum(losses[:5]) - 5 * 2000
