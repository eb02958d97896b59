"""The table against DiffSDA's Tab. 7, retyped here from the paper."""

from __future__ import annotations

import pytest

from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.pretrained import build_model
from seqdis.core.registry import get_preset
from seqdis.timeseries.datasets import DATASETS
from seqdis.timeseries.options import SeriesOptions
from seqdis.timeseries.presets import PRESETS

NAMES = ("diffsda-physionet", "diffsda-airq", "diffsda-etth1")

# Rows of Tab. 7, columns Physionet, Airq, ETTH.
PAPER = {
    "P_mean": (-0.4, -0.4, -0.4),
    "P_std": (1.0, 1.0, 1.0),
    "NFE": (63, 63, 63),
    "lr": (5e-5, 1e-4, 1e-4),
    "bsz": (30, 10, 10),
    "#Epoch": (200, 200, 200),
    "s dim": (24, 16, 16),
    "d dim": (2, 4, 4),
    "hidden dim": (96, 512, 512),
    "Base channels": (256, 256, 128),
    "Channel multipliers": ((4, 4, 4, 4),) * 3,
    "Attention placement": ((),) * 3,
    "Encoder base ch": (96, 128, 256),
    "Encoder ch. mult.": ((4, 4, 4, 4),) * 3,
    "Enc. attn. placement": ((),) * 3,
    "Input size": (10, 10, 6),
    "Seq len": (80, 672, 672),
    "Optimizer: weight decay": (1e-5, 1e-5, 1e-5),
    "Backbone": ("mlp", "mlp", "mlp"),
}


@pytest.mark.parametrize(("column", "name"), list(enumerate(NAMES)))
def test_paper_columns(column: int, name: str) -> None:
    preset = PRESETS[name]()
    model = preset.model
    assert isinstance(model, DiffSDAConfig)
    ours = {
        "P_mean": model.p_mean,
        "P_std": model.p_std,
        "NFE": 2 * model.sampler.steps - 1,
        "lr": preset.train.lr,
        "bsz": preset.train.batch_size,
        "#Epoch": preset.train.epochs,
        "s dim": model.static_dim,
        "d dim": model.dynamic_dim,
        "hidden dim": model.hidden_dim,
        "Base channels": model.denoiser.channels,
        "Channel multipliers": model.denoiser.multipliers,
        "Attention placement": model.denoiser.attention,
        "Encoder base ch": model.encoder.channels,
        "Encoder ch. mult.": model.encoder.multipliers,
        "Enc. attn. placement": model.encoder.attention,
        "Input size": preset.data.frame_shape[0],
        "Seq len": preset.data.length,
        "Optimizer: weight decay": preset.train.weight_decay,
        "Backbone": model.denoiser.kind,
    }
    assert ours == {row: values[column] for row, values in PAPER.items()}
    # Not in the table, but in the authors' implementation; time series are normalised by feature.
    assert model.noise_repeats == 10
    assert preset.data.normalize == "channel"
    assert model.causal


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_complete(name: str) -> None:
    preset = get_preset(name)
    assert preset.preset == name
    assert preset.modality == "timeseries"
    assert preset.data.dataset in {*DATASETS, "folder"}
    options = SeriesOptions.model_validate(preset.data.options)
    # All keys are spelled out, so that each can be changed by key=value.
    assert set(preset.data.options) == set(SeriesOptions.model_fields)
    assert options.columns is None or (len(options.columns),) == preset.data.frame_shape


def test_a_preset_builds_its_model() -> None:
    model = build_model(PRESETS["diffsda-waves"]())
    assert model.frame_shape == (6,)
    assert sum(p.numel() for p in model.parameters()) < 1_000_000
