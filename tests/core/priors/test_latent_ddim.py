"""The latent DDIM on factors whose distribution is known: a correlated Gaussian, with closed conditionals."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors
from seqdis.core.priors.latent_ddim import LatentDDIM
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig

RHO = 0.8


def known(count: int, seed: int) -> Factors:
    """``s ~ N(3, 2²)``, and both steps of d follow it: ``d = −1 + 0.5·(ρ·(s−3)/2 + √(1−ρ²)·e)``."""
    g = torch.Generator().manual_seed(seed)
    u = torch.randn(count, 1, generator=g)
    e = torch.randn(count, 2, generator=g)
    return Factors(3 + 2 * u, (-1 + 0.5 * (RHO * u + (1 - RHO**2) ** 0.5 * e))[..., None])


def small(**changes: object) -> LatentDDIM:
    config = {"hidden": 64, "layers": 4, "epochs": 60, "lr": 2e-3, "batch_size": 256, **changes}
    return LatentDDIM(LatentDDIMConfig.model_validate(config), static_shape=(1,), dynamic_shape=(2, 1))


@pytest.fixture(scope="module")
def fitted() -> dict[str, LatentDDIM]:
    priors = {kind: small(dependent=kind == "dependent") for kind in ("dependent", "independent")}
    for prior in priors.values():
        losses = prior.fit(known(4096, 0))
        assert losses[-5:].mean() < losses[0]
    return priors


def seed(value: int) -> torch.Generator:
    return torch.Generator().manual_seed(value)


def correlation(factors: Factors) -> float:
    return float(torch.corrcoef(factors.flatten().T)[0, 1])


@pytest.mark.parametrize("kind", ["dependent", "independent"])
def test_samples_have_the_moments_of_the_factors(fitted: dict[str, LatentDDIM], kind: str) -> None:
    drawn = fitted[kind].sample(4096, generator=seed(1))
    assert drawn.static.mean().item() == pytest.approx(3, abs=0.25)
    assert drawn.static.std().item() == pytest.approx(2, rel=0.12)
    assert drawn.dynamic.mean().item() == pytest.approx(-1, abs=0.08)
    assert drawn.dynamic.std().item() == pytest.approx(0.5, rel=0.12)


def test_only_the_dependent_prior_knows_what_goes_with_what(fitted: dict[str, LatentDDIM]) -> None:
    assert correlation(known(4096, 2)) == pytest.approx(RHO, abs=0.02)
    assert correlation(fitted["dependent"].sample(4096, generator=seed(1))) == pytest.approx(RHO, abs=0.08)
    assert correlation(fitted["independent"].sample(4096, generator=seed(1))) == pytest.approx(0, abs=0.08)


def test_inpainting_draws_from_the_conditional(fitted: dict[str, LatentDDIM]) -> None:
    given = Factors(torch.full((1024, 1), 6.0), torch.zeros(1024, 2, 1))
    drawn = fitted["dependent"].sample_dynamic(given, generator=seed(3))
    assert torch.equal(drawn.static, given.static)
    # d | s is N(−1 + 0.5·ρ·(s − 3)/2, 0.25·(1 − ρ²)).
    assert drawn.dynamic.mean().item() == pytest.approx(-1 + 0.5 * RHO * 1.5, abs=0.12)
    assert drawn.dynamic.std().item() == pytest.approx(0.5 * (1 - RHO**2) ** 0.5, rel=0.25)
    free = fitted["dependent"].sample_dynamic(given, generator=seed(3), independent=True)
    assert free.dynamic.mean().item() == pytest.approx(-1, abs=0.1)


def test_a_static_factor_follows_given_dynamics(fitted: dict[str, LatentDDIM]) -> None:
    given = Factors(torch.zeros(1024, 1), torch.full((1024, 2, 1), -0.6))
    drawn = fitted["dependent"].sample_static(given, generator=seed(4))
    assert torch.equal(drawn.dynamic, given.dynamic)
    # u | d is Gaussian with precision 1 + 2ρ²/(1−ρ²) and mean ρ·Σ(2(d+1))/(1+ρ²).
    assert drawn.static.mean().item() == pytest.approx(3 + 2 * RHO * 1.6 / (1 + RHO**2), abs=0.4)
    ours = fitted["independent"].sample_static(given, generator=seed(4))
    assert ours.static.mean().item() == pytest.approx(3, abs=0.3)


def test_row_0_does_not_depend_on_the_count(fitted: dict[str, LatentDDIM]) -> None:
    prior = fitted["dependent"]
    one, many = (prior.sample(count, generator=seed(5)).flatten() for count in (1, 7))
    torch.testing.assert_close(one[0], many[0], rtol=1e-4, atol=1e-4)
    assert torch.equal(many, prior.sample(7, generator=seed(5)).flatten())


def test_it_draws_the_length_that_it_was_fitted_to(fitted: dict[str, LatentDDIM]) -> None:
    prior = fitted["dependent"]
    assert prior.sample(3, generator=seed(0), steps=2).steps == 2
    for draw in (
        lambda: prior.sample(3, generator=seed(0), steps=5),
        lambda: prior.sample_dynamic(known(3, 1), generator=seed(0), steps=5),
    ):
        with pytest.raises(InputError, match="steps 5: this prior draws sequences of 2 steps only"):
            draw()


def test_fitting_is_reproducible() -> None:
    def weights() -> Tensor:
        prior = small(epochs=2)
        prior.fit(known(300, 0))
        return torch.cat([p.detach().flatten() for p in prior.parameters()])

    assert torch.equal(weights(), weights())


def test_fitting_learns_where_gradients_are_off() -> None:
    prior = small(epochs=3)
    with torch.no_grad():
        losses = prior.fit(known(300, 0).detach())
    assert losses[-1] < losses[0]


def test_save_then_load_is_bit_equal(fitted: dict[str, LatentDDIM], tmp_path: Path) -> None:
    prior = fitted["dependent"]
    prior.save(tmp_path / "prior")
    loaded = LatentDDIM.load(tmp_path / "prior")
    assert loaded.config == prior.config
    assert torch.equal(
        loaded.sample(3, generator=seed(0)).flatten(), prior.sample(3, generator=seed(0)).flatten()
    )
    about = json.loads((tmp_path / "prior" / "prior.json").read_text())
    for change, message in (
        ({"format": "other"}, "format 'other'"),
        (
            {"static_shape": [2]},
            r"prior\.json and prior\.safetensors disagree: \S+ is \(3,\), this model needs",
        ),
        ({"config": {**about["config"], "depth": 3}}, "depth"),
    ):
        (tmp_path / "prior" / "prior.json").write_text(json.dumps({**about, **change}))
        with pytest.raises(InputError, match=message):
            LatentDDIM.load(tmp_path / "prior")
    with pytest.raises(InputError, match="cannot be read as a prior"):
        LatentDDIM.load(tmp_path / "absent")


def test_unusable_factors_are_refused() -> None:
    prior, good = small(), known(8, 0)
    with pytest.raises(InputError, match=r"factors of shapes \(\(1,\), \(3, 1\)\); this prior's are"):
        prior.fit(Factors(good.static, torch.zeros(8, 3, 1)))
    with pytest.raises(InputError, match="at least 2 sequences; got 1"):
        prior.fit(good[:1])
    bad = torch.where(torch.arange(16).view(8, 2, 1) == 0, float("nan"), good.dynamic)
    with pytest.raises(InputError, match="factors: 1 of"):
        prior.fit(Factors(good.static, bad))
    with pytest.raises(InputError, match="does not model extras; got action"):
        prior.fit(Factors(good.static, good.dynamic, {"action": Extra(torch.zeros(8, 1), "static")}))
    with pytest.raises(InputError, match="count ≥ 1; got 0"):
        prior.sample(0, generator=seed(0))
