"""The table against DiffSDA's Tab. 7, retyped here from the paper."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from seqdis.audio.presets import PRESETS
from seqdis.core.config import RunConfig, change_config
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.methods.dsvae import DSVAE, DSVAEConfig
from seqdis.core.methods.s3vae.config import S3VAEConfig
from seqdis.core.pretrained import build_model

# Rows of Tab. 7, columns TIMIT and LibriSpeech.
PAPER = {
    "P_mean": (-0.4, -0.4),
    "P_std": (1.0, 1.0),
    "NFE": (63, 63),
    "lr": (1e-4, 1e-3),
    "bsz": (128, 128),
    "#Epoch": (750, 200),
    "s dim": (32, 32),
    "d dim": (4, 2),
    "hidden dim": (128, 256),
    "Base channels": (256, 64),
    "Channel multipliers": ((4, 4, 4, 4), (4, 4, 4, 4)),
    "Attention placement": ((), ()),
    "Encoder base ch": (128, 128),
    "Encoder ch. mult.": ((4, 4, 4, 4), (4, 4, 4, 4)),
    "Enc. attn. placement": ((), ()),
    "Input size": ((80,), (80,)),
    "Seq len": (68, 68),
    "weight decay": (1e-5, 1e-5),
    "Backbone": ("mlp", "mlp"),
}


@pytest.mark.parametrize(("column", "name"), [(0, "diffsda-timit"), (1, "diffsda-librispeech")])
def test_paper_columns(
    diffsda_table_column: Callable[[RunConfig], dict[str, object]], column: int, name: str
) -> None:
    preset = PRESETS[name]()
    model = preset.model
    assert isinstance(model, DiffSDAConfig)
    assert diffsda_table_column(preset) == {key: values[column] for key, values in PAPER.items()}
    assert model.encoder.kind == model.denoiser.kind
    assert preset.train.steps is None  # it would win over the epochs
    assert preset.data.options["frame_shift_ms"] == 8.5
    assert (model.sampler.rho, model.sampler.sigma_min, model.sampler.sigma_max) == (7, 0.002, 80)


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_is_complete_or_completed_by_a_file(
    name: str, tmp_path: Path, write_sound: Callable[..., Path]
) -> None:
    from seqdis.audio.modality import AudioModality

    preset = PRESETS[name]()
    modality = AudioModality()
    wav = write_sound(tmp_path / "a.wav", rate=8000)
    data = modality.complete(preset.data, [wav])
    modality.options(data)
    # A named dataset's own numbers are not taken from anywhere else.
    assert (data == preset.data) == (preset.data.dataset != "folder")
    assert (preset.preset, preset.modality, preset.method) == (name, "audio", name.partition("-")[0])
    assert preset.data.dataset in {*modality.datasets(), "folder"}
    assert (preset.train.epochs is None) != (preset.train.steps is None)
    # Overrides reach an option only where the preset lists it.
    assert set(preset.data.options) == set(modality.options_class.model_fields)


def test_dsvaes_timit() -> None:
    """The 200 ms and the widths of the published tables."""
    preset = PRESETS["dsvae-timit"]()
    m = preset.model
    assert isinstance(m, DSVAEConfig)
    assert (m.static_dim, m.dynamic_dim, m.posterior) == (16, 16, "full")
    assert (m.kl_static_weight, m.kl_dynamic_weight) == (1, 1)
    assert preset.data.length * preset.data.options["frame_shift_ms"] == 200


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("dsvae-")])
def test_a_preset_of_dsvae_builds_its_model(name: str) -> None:
    config = change_config(PRESETS[name](), {"sample_rate": 16000})
    with torch.device("meta"):
        assert isinstance(build_model(config), DSVAE)


def test_s3vaes_timit() -> None:
    """Tab. 3's sizes, App. D's training, and the 20 steps of App. E's 200 ms."""
    preset = PRESETS["s3vae-timit"]()
    m, t = preset.model, preset.train
    assert isinstance(m, S3VAEConfig)
    assert m.prediction is not None
    assert (m.static_dim, m.dynamic_dim, m.features, m.hidden_dim) == (64, 64, 128, 256)
    assert (m.prediction.target, m.prediction.width, m.prediction.loss) == ("silence", 1, "binary")
    assert (m.consistency_weight, m.prediction_weight, m.information_weight, m.margin) == (1000, 100, 1, 1)
    assert (t.epochs, t.batch_size, t.lr, t.betas, t.weight_decay) == (1000, 16, 1e-3, (0.9, 0.999), 0)
    assert (t.schedule, t.warmup_steps, t.grad_clip, t.ema_decay) == ("constant", 0, None, 0)
    assert preset.data.length * preset.data.options["frame_shift_ms"] == 200
    assert preset.data.frame_shape == (80,)
