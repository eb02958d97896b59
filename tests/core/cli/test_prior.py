from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from typer.testing import Result

from seqdis.core.analysis.encode import encode_dataset
from seqdis.core.analysis.fit_prior import FittedRun
from seqdis.core.capabilities import codebook_of
from seqdis.core.config import Config
from seqdis.core.disentangler import Disentangler
from seqdis.core.model_files import write_model_files
from seqdis.core.priors.prior import FittedPrior
from seqdis.core.priors.store import load_prior, model_digest
from seqdis.core.registry import build_dataset, get_preset

Command = Callable[..., Result]
Refused = Callable[..., str]
QUICK = ("hidden=16", "layers=3", "epochs=2", "steps=5", "--device", "cpu")


@pytest.fixture
def run(toy_run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(toy_run, tmp_path / "run"))


def test_fit_learns_the_training_splits_factors(seqdis: Command, run: Path) -> None:
    said = json.loads(seqdis("prior", "fit", run, *QUICK, "--json").stdout)
    assert said["kind"] == "latent_ddim"
    assert said["sequences"] == 96
    prior = load_prior(run / "prior", model=model_digest(run))
    config = get_preset("toy")
    known = encode_dataset(
        Disentangler.from_pretrained(run), build_dataset("toy", config.data, "train", seed=config.train.seed)
    )
    torch.testing.assert_close(prior.mean, known.flatten().mean(0))  # type: ignore[attr-defined]
    about = json.loads((run / "prior" / "prior.json").read_text())
    assert about["config"]["hidden"] == 16
    assert about["about"]["command"].startswith(f"seqdis prior fit {run} hidden=16")


def test_a_prior_is_replaced_only_by_force(seqdis: Command, refused: Refused, run: Path) -> None:
    assert seqdis("prior", "fit", run, *QUICK).exit_code == 0
    first = (run / "prior" / "prior.safetensors").read_bytes()
    (run / "prior" / "components-static.safetensors").write_bytes(b"of the old prior")
    assert (
        refused("prior", "fit", run, *QUICK)
        == f"{run / 'prior'}: is there already; add --force to replace it"
    )
    assert (run / "prior" / "prior.safetensors").read_bytes() == first
    assert seqdis("prior", "fit", run, *QUICK, "--seed", 1, "--force").exit_code == 0
    assert (run / "prior" / "prior.safetensors").read_bytes() != first
    assert not (run / "prior" / "components-static.safetensors").exists()


def test_bad_input_is_refused_with_one_line(
    seqdis: Command, refused: Refused, run: Path, recordings: Path, tmp_path: Path
) -> None:
    assert "no such run folder" in refused("prior", "fit", tmp_path / "absent")
    assert "unknown key 'epoch' (did you mean 'epochs'?)" in refused("prior", "fit", run, "epoch=3")
    assert "key 'layers' is 1" in refused("prior", "fit", run, "layers=1")
    assert "'flow'" in refused("prior", "fit", run, "--kind", "flow")
    assert not (run / "prior").exists()
    assert refused("sample", run) == f"{run}: has no prior yet; fit one by `seqdis prior fit {run}`"
    assert refused("swap", run, "--static", recordings / "a.npy").startswith(f"{run}: has no prior yet")
    assert refused("traverse", run, recordings / "a.npy").startswith(f"{run}: has no prior yet")
    assert seqdis("prior", "fit", run, *QUICK).exit_code == 0
    model = Disentangler.from_pretrained(run)
    with torch.no_grad():
        next(model.parameters()).add_(1)
    write_model_files(model, run)
    assert "was fitted to other weights than the model's; fit it again" in refused("sample", run)


def test_a_prior_of_codes_is_fitted_to_a_model_that_has_them(
    refused: Refused, coded_run: Path, run: Path
) -> None:
    about = json.loads((coded_run / "prior" / "prior.json").read_text())
    assert about["format"] == "seqdis.prior.autoregressive.1"
    assert (about["codebook_shape"], about["steps"]) == ([2, 4, 4], 6)
    model = Disentangler.from_pretrained(coded_run)
    prior = load_prior(coded_run / "prior", model=model_digest(coded_run))
    assert torch.equal(prior.network.codebook, codebook_of(model))  # type: ignore[attr-defined, arg-type]
    message = refused("prior", "fit", run, "--kind", "autoregressive")
    assert message == "the autoregressive prior draws codes, and this model's factors have none"


def test_help_names_what_is_there(seqdis: Command) -> None:
    assert "fit" in seqdis("prior", "--help").stdout
    assert "prior" in seqdis("--help").stdout


def test_a_prior_without_a_seed_among_its_settings_is_fitted(
    seqdis: Command, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Settings(Config):
        width: int = 1

    given: dict[str, object] = {}

    class Seedless(FittedPrior):
        config_class = Settings

    def fit(*_: object, **options: object) -> FittedRun:
        given.update(options)
        return FittedRun(run / "prior", "seedless", 96, torch.ones(2), 0.0)

    monkeypatch.setattr("seqdis.core.priors.store.get_prior", lambda kind: Seedless)
    monkeypatch.setattr("seqdis.core.analysis.fit_prior.fit_prior_to_run", fit)
    assert seqdis("prior", "fit", run, "width=2", "--kind", "seedless", "--seed", 3).exit_code == 0
    assert given["changes"] == {"width": 2}
