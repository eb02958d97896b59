"""BCD's presets, against the paper's Tab. A7, A8 and A9 typed once more."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from seqdis.core.config import RunConfig, change_config
from seqdis.core.errors import InputError
from seqdis.core.methods.bcd import BCD
from seqdis.core.methods.bcd.config import BCDConfig
from seqdis.core.pretrained import build_model
from seqdis.core.priors.autoregressive_config import AutoregressiveConfig
from seqdis.core.priors.store import prior_config
from seqdis.core.registry import build_dataset, data_root, get_dataset
from seqdis.video.presets import PRESETS

TABLES = {
    "bcd-lrs3": {
        "encoder": (512, 2048, 12, 8),
        "decoder": (4, 768, 3072, 12, 12, (0, 2, 4, 6, 8, 10)),
        "codebook": (64, 32, 16),
        "kbps": 4.0,
        "temperature": (1.5, 0.1, 0.9999972),
        "steps": 128,
        "rates": (2e-4, 1e-4, 5e-5),
        "batch": 32,
        "size": 256,
    },
    "bcd-sprites": {
        "encoder": (384, 1536, 12, 6),
        "decoder": (8, 384, 1536, 12, 6, (0, 2, 4, 6, 8, 10)),
        "codebook": (1, 64, 384),
        "kbps": 0.15,
        "temperature": (2.0, 0.5, 0.9999972),
        "steps": 50,
        "rates": (5e-5, 5e-5, 2.5e-5),
        "batch": 128,
        "size": 64,
    },
}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_the_paper(name: str) -> None:
    preset, m, t = PRESETS[name](), PRESETS[name]().model, PRESETS[name]().train
    assert isinstance(m, BCDConfig)
    assert m.fps is not None
    assert m.target_bits is not None
    e, d = m.encoder, m.decoder
    first, second = t.stages
    assert {
        "encoder": (e.width, e.feedforward, e.depth, e.heads),
        "decoder": (d.patch, d.width, d.feedforward * d.width, d.depth, d.heads, d.temporal),
        "codebook": (m.groups, m.codes, m.code_dim),
        "kbps": m.target_bits * m.fps / 1000,
        "temperature": (m.temperature, m.temperature_end, m.temperature_decay),
        "steps": m.sampler.steps,
        "rates": (t.lr, t.lr * first.rates["encoder"], t.lr * second.rates["encoder"]),
        "batch": t.batch_size,
        "size": preset.data.frame_shape[2],
    } == TABLES[name]
    assert (m.bitrate_weight, m.condition_dropout, m.sampler.guidance) == (0.04, 0.1, 1.5)
    assert (t.betas, t.weight_decay) == ((0.9, 0.999), 0.01)
    assert (first.name, first.frozen, second.name, second.frozen) == (
        "spatial",
        ("temporal",),
        "temporal",
        (),
    )
    assert m.target_bits <= m.groups * math.log2(m.codes)


def test_the_epochs_of_lrs3() -> None:
    assert [stage.epochs for stage in PRESETS["bcd-lrs3"]().train.stages] == [30, 15]


def test_the_sizes_of_the_codes_fit_the_latents() -> None:
    """The latents of Tab. A7 are 4 x 32 x 32, the frames of Tab. A8 3 x 64 x 64: 64 patches each."""
    assert (256 // 8 // PRESETS["bcd-lrs3"]().model.decoder.patch) ** 2 == 64  # type: ignore[attr-defined]
    assert (64 // PRESETS["bcd-sprites"]().model.decoder.patch) ** 2 == 64  # type: ignore[attr-defined]


def test_sprites_builds_whole() -> None:
    model = build_model(PRESETS["bcd-sprites"]())
    assert isinstance(model, BCD)
    assert model.quantizer.capacity_bits == 6


@pytest.mark.parametrize("name", ["bcd-shapes", "bcd-sprites32"])
def test_small_presets_train_in_two_phases(name: str) -> None:
    config = PRESETS[name]()
    m, (first, second) = config.model, config.train.stages
    assert isinstance(m, BCDConfig)
    assert (first.name, first.frozen, second.name) == ("spatial", ("temporal",), "temporal")
    assert second.rates["encoder"] == first.rates["encoder"] / 2
    assert m.target_bits is not None
    assert m.target_bits <= m.groups * math.log2(m.codes)
    assert m.window == config.data.length // 2


def test_the_prior_of_lrs3_is_table_a9s() -> None:
    settings = prior_config(PRESETS["bcd-lrs3"]().prior, "autoregressive", {})
    assert isinstance(settings, AutoregressiveConfig)
    assert (settings.width, settings.depth, settings.heads) == (1024, 12, 8)
    assert (settings.lr, settings.batch_size, settings.weight_decay) == (1e-4, 256, 0.01)
    assert settings.subsampling == 0.5


@pytest.mark.parametrize("name", [name for name in PRESETS if name.startswith("bcd-")])
def test_every_preset_has_a_prior_of_codes(name: str) -> None:
    prior = PRESETS[name]().prior
    assert prior.kind == "autoregressive"
    prior_config(prior, prior.kind, {})


@torch.no_grad()
def information_at_the_start(config: RunConfig, root: Path | None) -> float:
    """Bits that a frame's codes say of it before any training, ``H(E p) − E H(p)``, of the target's bits."""
    clips = build_dataset("video", config.data, "test", root=root, seed=0)
    some = clips.fetch(list(range(0, len(clips), max(1, len(clips) // 48)))[:48])
    torch.manual_seed(0)
    model = build_model(config).eval()
    assert isinstance(model, BCD)
    assert isinstance(config.model, BCDConfig)
    model.normalizer.mean.fill_(float(some.x.mean()))
    model.normalizer.std.fill_(float(some.x.std()))
    tokens = model.encoder(model.to_model_space(some).flatten(2)).motion
    probs = model.quantizer(model.to_motion(tokens)).probs
    mean = probs.mean((0, 1))
    bits = torch.special.entr(mean).sum() - torch.special.entr(probs).mean((0, 1)).sum()
    return float(bits) / math.log(2) / (config.model.target_bits or 1.0)


@pytest.mark.parametrize(
    "name",
    [
        "bcd-shapes",
        pytest.param("bcd-sprites32", marks=pytest.mark.full),
        pytest.param("bcd-sprites", marks=pytest.mark.full),
    ],
)
def test_codes_say_something_of_the_frame_from_the_start(name: str) -> None:
    """With α = 1 entries are drawn almost whatever the frame shows: the rate is then met by noise."""
    config = PRESETS[name]()
    try:
        root = data_root(get_dataset("video", config.data.dataset))
    except InputError as error:
        pytest.skip(str(error))
    assert information_at_the_start(config, root) > 0.15
    assert information_at_the_start(change_config(config, {"model.distance_scale": 1.0}), root) < 0.05
