"""DiffSDA's presets, against the paper's Tab. 6 and 8 typed once more."""

from __future__ import annotations

import pytest

from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.core.priors.store import prior_config
from seqdis.video.presets import PRESETS

# The table as the paper prints it, one line a quantity.
TABLE_6 = """
            mug       taichi    voxceleb  celebvhq
P_mean      -1.2      -1.2      -0.4      -0.4
P_std       1.2       1.2       1.0       1.0
NFE         71        63        63        63
lr          1e-4      1e-4      1e-4      1e-4
bsz         8         16        16        16
epochs      1600      40        100       450
repeats     1         150       1         1
s           256       512       512       1024
d           64        64        12        16
hidden      128       1024      1024      1024
base        64        64        192       192
size        64        64        256       256
length      15        10        10        10
"""
NAMES, *LINES = (line.split() for line in TABLE_6.strip().splitlines())
COLUMNS = {name: {quantity: float(values[i]) for quantity, *values in LINES} for i, name in enumerate(NAMES)}


@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_table_6(name: str) -> None:
    preset, model = PRESETS[f"diffsda-{name}"](), PRESETS[f"diffsda-{name}"]().model
    assert isinstance(model, DiffSDAConfig)
    assert {
        "P_mean": model.p_mean,
        "P_std": model.p_std,
        "NFE": 2 * model.sampler.steps - 1,
        "lr": preset.train.lr,
        "bsz": preset.train.batch_size,
        "epochs": preset.train.epochs,
        "repeats": preset.data.repeats,
        "s": model.static_dim,
        "d": model.dynamic_dim,
        "hidden": model.hidden_dim,
        "base": model.denoiser.channels,
        "size": preset.data.frame_shape[2],
        "length": preset.data.length,
    } == COLUMNS[name]
    # What all four columns share.
    for backbone in (model.encoder, model.denoiser):
        assert backbone.kind == "unet"
        assert backbone.multipliers == (1, 2, 2, 2)
        assert backbone.attention == (2,)
        assert backbone.channels == COLUMNS[name]["base"]
    assert preset.train.weight_decay == 1e-5
    assert preset.train.steps is None
    assert preset.data.pick == "spread"
    assert preset.codec.name == ("autoencoder" if COLUMNS[name]["size"] == 256 else "identity")
    assert model.frames_per_clip is None


# Tab. 8: width of the latent DDIM's layers and its epochs.
@pytest.mark.parametrize(
    ("name", "hidden", "epochs"),
    [("mug", 1216, 500), ("taichi", 5008, 500), ("voxceleb", 2528, 200), ("celebvhq", 4736, 1000)],
)
def test_the_prior_is_table_8s(name: str, hidden: int, epochs: int) -> None:
    settings = prior_config(PRESETS[f"diffsda-{name}"]().prior, "latent_ddim", {})
    assert settings == LatentDDIMConfig(hidden=hidden, epochs=epochs)
    paper = {"batch_size": 128, "layers": 10, "lr": 1e-4, "weight_decay": 1e-5, "timesteps": 1000}
    assert settings.model_dump(include=set(paper)) == paper


def test_the_recipe_for_small_sprites_differs_from_the_papers_form_by_what_its_docstring_names() -> None:
    ours, paper = (PRESETS[f"diffsda-sprites32{end}"]() for end in ("", "-paper"))
    differing = {
        key for key in DiffSDAConfig.model_fields if getattr(ours.model, key) != getattr(paper.model, key)
    }
    assert differing == {
        *("sequence_encoder", "denoiser", "p_mean", "sampler"),
        *("dynamic_noise", "predictability_weight", "frames_per_clip"),
    }
    noise = ours.train.stages[0].ramps["dynamic_noise"]
    assert (noise.end, max(noise.start, *(value for _, value in noise.via))) == (
        ours.model.dynamic_noise,
        1.0,
    )
    assert not paper.train.stages
    assert paper.model.denoiser == ours.model.denoiser.model_copy(update={"positions": 0})
    assert (paper.model.p_mean, paper.model.p_std) == (COLUMNS["mug"]["P_mean"], COLUMNS["mug"]["P_std"])
    assert paper.train.weight_decay == 1e-5
    assert (ours.model.frames_per_clip, ours.train.steps * 5) == (2, paper.train.steps * 4)
    for key in ("batch_size", "lr", "seed"):
        assert getattr(ours.train, key) == getattr(paper.train, key)
    assert ours.data == paper.data
