"""DiViD's presets, against the paper's Sec. 4.1 typed once more, and the small one at work."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.methods.divid import DiViD
from seqdis.core.methods.divid.config import DiViDConfig
from seqdis.core.nn.spatial_transformer import SpatialTransformer
from seqdis.core.nn.unet import UNetDenoiser, UNetEncoder
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import build_dataset
from seqdis.video.presets import PRESETS


def built(name: str, *overrides: str) -> DiViD:
    with torch.device("meta"):
        model = build_model(apply_overrides(PRESETS[name](), overrides))
    assert isinstance(model, DiViD)
    return model


@pytest.mark.parametrize(("name", "length"), [("divid-mhad", 10), ("divid-mead", 15), ("divid-sprites", 8)])
def test_the_sizes_of_section_4_1(name: str, length: int) -> None:
    preset, m = PRESETS[name](), PRESETS[name]().model
    assert isinstance(m, DiViDConfig)
    assert preset.data.length == length
    model = built(name)
    # "three resolution levels", "two residual blocks" each, "base channel width of 128", "embedding dimension of 3"
    encoder = model.frame_encoder
    assert isinstance(encoder, UNetEncoder)
    assert (m.encoder.channels, len(m.encoder.multipliers), m.encoder.blocks, m.encoder.embedding) == (
        128,
        3,
        2,
        3,
    )
    assert encoder.out.in_features == encoder.out.out_features == 3 * 16 * 16
    # "two-layer MLP with hidden dimension 1024 and ReLU activations, followed by a linear projection" to 256
    widths = [
        layer.out_features for layer in model.sequence_encoder.to_static if isinstance(layer, torch.nn.Linear)
    ]
    assert widths == [1024, 1024, 256]
    # "self-attention block with 8 heads and an embedding dimension of 256"
    attention = model.sequence_encoder.attention
    assert (attention.num_heads, attention.embed_dim) == (8, 256)
    # "four resolution levels", "base channel dimension of 128", "two residual blocks", "resolutions 32, 16, and 8"
    assert (m.denoiser.channels, len(m.denoiser.multipliers), m.denoiser.blocks) == (128, 4, 2)
    assert [64 >> level for level in m.denoiser.attention] == [32, 16, 8]
    network = model.denoiser.network
    assert isinstance(network, UNetDenoiser)
    with_self = [t.self_attention is not None for t in network.modules() if isinstance(t, SpatialTransformer)]
    blocks = [*network.down, *network.middle, *network.up]
    assert len(with_self) == len(blocks)  # "each U-Net denoising block"
    assert with_self.count(False) == 2 + 1 + 3  # level 0: two down, one that enlarges, three up
    # "the standard simplified DDPM loss", all of the biases
    assert (m.prediction, m.beta_schedule, m.timesteps) == ("epsilon", "linear", 1000)
    assert m.shared_noise
    assert m.cross_attention
    assert m.first_frame_residual
    assert m.orthogonality > 0
    assert (m.sampler.kind, m.sampler.levels, m.sampler.steps) == ("ddpm", "chain", 1000)
    assert m.frames_per_clip is None


@pytest.mark.parametrize("name", sorted(name for name in PRESETS if name.startswith("divid-")))
@pytest.mark.parametrize("switch", ["cross_attention=true", "cross_attention=false"])
def test_every_preset_has_networks(name: str, switch: str) -> None:
    model = built(name, switch)
    shape = PRESETS[name]().data.frame_shape
    with torch.device("meta"):
        x = torch.zeros(2, *shape)
        z = model.as_condition(torch.zeros(1, 2, 2, model.config.token_dim)).flatten(0, 1)
        assert model.denoiser.network(x, torch.zeros(2), z).shape == x.shape
        assert model.frame_encoder(x).shape == (2, model.config.feature_dim)


def test_the_small_preset_learns_on_a_cpu() -> None:
    config = apply_overrides(
        PRESETS["divid-shapes"](), ["precision=fp32", "orthogonality=10", "train.batch_size=16"]
    )
    torch.manual_seed(0)
    model, data = build_model(config), build_dataset("video", config.data, "train")
    model.normalizer.fit(data)
    model.train()
    optimizer = torch.optim.AdamW(model.parameters(), config.train.lr)
    terms = []
    for step in range(24):
        optimizer.zero_grad()
        out = model.loss(
            data.fetch(range(16 * step, 16 * step + 16)),
            generator=GeneratorStack.shard(step, 16, slice(0, 16)),
        )
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        terms.append({name: float(value) for name, value in out.terms.items()})
    assert sum(t["ddpm"] for t in terms[-5:]) < 0.7 * sum(t["ddpm"] for t in terms[:5])
    assert sum(t["orthogonality"] for t in terms[-5:]) < 0.3 * sum(t["orthogonality"] for t in terms[:5])


def test_save_then_load_is_bit_equal(tmp_path: Path) -> None:
    model = build_model(apply_overrides(PRESETS["divid-shapes"](), ["sampler.steps=2"])).eval()
    model.save_pretrained(tmp_path / "model")
    loaded = Disentangler.from_pretrained(tmp_path / "model")
    x = torch.rand(2, 6, 3, 16, 16)
    seeds = [torch.Generator().manual_seed(0) for _ in range(2)]
    a, b = (m.decode(m.encode(x), generator=g) for m, g in zip((model, loaded), seeds, strict=True))
    assert torch.equal(a, b)
