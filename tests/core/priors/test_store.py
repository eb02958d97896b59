from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from seqdis.core.config import PriorConfig
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.priors.latent_ddim import LatentDDIM
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.core.priors.store import get_prior, load_prior, prior_config, read_about


def saved(folder: Path, **about: str) -> LatentDDIM:
    factors = Factors(torch.randn(8, 2), torch.randn(8, 3, 1))
    prior = LatentDDIM.for_factors(LatentDDIMConfig(hidden=8, layers=2, epochs=1), factors)
    prior.fit(factors)
    prior.save(folder, about=about)
    return prior


def test_a_prior_of_any_kind_is_read_by_its_file(tmp_path: Path) -> None:
    prior = saved(tmp_path / "prior", model_sha256="abc", command="by hand")
    loaded = load_prior(tmp_path / "prior", model="abc")
    one, two = (p.sample(2, generator=torch.Generator().manual_seed(0)).flatten() for p in (prior, loaded))
    assert torch.equal(one, two)
    assert read_about(tmp_path / "prior")["about"]["command"] == "by hand"


def test_a_prior_of_other_weights_is_refused(tmp_path: Path) -> None:
    saved(tmp_path / "prior", model_sha256="abc")
    with pytest.raises(InputError, match="fitted to other weights than the model's; fit it again"):
        load_prior(tmp_path / "prior", model="def")
    load_prior(tmp_path / "prior")  # nobody asked


def test_unknown_formats_and_kinds_are_named(tmp_path: Path) -> None:
    saved(tmp_path / "prior")
    path = tmp_path / "prior" / "prior.json"
    path.write_text(json.dumps({"format": "seqdis.prior.flow.1"}))
    with pytest.raises(InputError, match=r"format 'seqdis.prior.flow.1'; this version reads .*latent_ddim"):
        load_prior(tmp_path / "prior")
    saved(tmp_path / "prior")
    path.write_text(json.dumps(json.loads(path.read_text()) | {"about": 3}))
    with pytest.raises(
        InputError, match=r"prior\.json: about is int; allowed: the origin of the prior by name"
    ):
        load_prior(tmp_path / "prior")
    path.write_text("{")
    with pytest.raises(InputError, match="cannot be read as a prior"):
        load_prior(tmp_path / "prior")
    with pytest.raises(InputError, match=r"prior 'flow'.*latent_ddim"):
        get_prior("flow")


def test_settings_are_the_presets_and_then_what_was_asked_for() -> None:
    preset = PriorConfig(kind="latent_ddim", options={"hidden": 1216, "epochs": 500})
    settings = prior_config(preset, "latent_ddim", {"epochs": 3})
    assert isinstance(settings, LatentDDIMConfig)
    assert (settings.hidden, settings.epochs, settings.layers) == (1216, 3, 10)
    other = PriorConfig(kind="another", options={"depth": 9})
    assert prior_config(other, "latent_ddim", {}) == LatentDDIMConfig()
    with pytest.raises(InputError, match=r"prior latent_ddim: unknown key 'epoch' .*'epochs'"):
        prior_config(preset, "latent_ddim", {"epoch": 3})
