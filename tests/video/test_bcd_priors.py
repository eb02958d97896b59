"""The priors that BCD's presets name, against the paper's Tab. A9 typed once more."""

from __future__ import annotations

from seqdis.core.priors.autoregressive_config import AutoregressiveConfig
from seqdis.core.priors.store import prior_config
from seqdis.video.presets import PRESETS


def test_the_table_of_the_paper() -> None:
    settings = prior_config(PRESETS["bcd-lrs3"].prior, "autoregressive", {})
    assert isinstance(settings, AutoregressiveConfig)
    assert (settings.width, settings.depth, settings.heads) == (1024, 12, 8)
    assert (settings.lr, settings.batch_size, settings.weight_decay) == (1e-4, 256, 0.01)
    assert settings.subsampling == 0.5


def test_every_preset_has_a_prior_of_codes() -> None:
    for name, preset in PRESETS.items():
        if preset.method == "bcd":
            assert preset.prior.kind == "autoregressive", name
            prior_config(preset.prior, preset.prior.kind, {})
