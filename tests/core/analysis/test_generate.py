from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis.generate import generate, swap_drawn
from seqdis.core.capabilities import codebook_of, invert
from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.pretrained import build_model
from seqdis.core.priors.autoregressive import AutoregressivePrior
from seqdis.core.priors.autoregressive_config import AutoregressiveConfig
from seqdis.core.priors.latent_ddim import LatentDDIM
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.core.registry import get_preset
from seqdis.core.sequences import Sequences


@pytest.fixture(scope="module")
def model() -> Disentangler:
    torch.manual_seed(0)
    return build_model(get_preset("toy")).eval()


@pytest.fixture(scope="module")
def prior(model: Disentangler) -> LatentDDIM:
    torch.manual_seed(0)
    factors = model.encode(torch.randn(64, 6, 8)).detach()
    config = LatentDDIMConfig(hidden=16, layers=3, epochs=2, steps=5, resamples=2)
    prior = LatentDDIM.for_factors(config, factors)
    prior.fit(factors)
    return prior


def seed(value: int) -> torch.Generator:
    return torch.Generator().manual_seed(value)


def test_a_sequence_does_not_depend_on_how_many_there_are(model: Disentangler, prior: LatentDDIM) -> None:
    reports = []
    many = generate(
        model, prior, 5, generator=seed(0), batch_size=2, progress=lambda *now: reports.append(now)
    )
    assert many.frames.shape == (5, 6, 8)
    assert reports == sorted(reports)
    assert {(i, 4000) for i in (1000, 2000, 3000, 4000)} <= set(reports)  # the draws, and three passes
    one = generate(model, prior, 1, generator=seed(0))
    torch.testing.assert_close(one.frames, many.frames[:1], atol=1e-3, rtol=1e-3)
    assert not torch.allclose(many.frames[0], many.frames[1], atol=1e-3)
    other = generate(model, prior, 1, generator=seed(1))
    assert not torch.allclose(one.frames, other.frames, atol=1e-3)


def test_the_frames_are_the_decoded_factors(model: Disentangler, prior: LatentDDIM) -> None:
    drawn = generate(model, prior, 2, generator=seed(0))
    torch.testing.assert_close(drawn.factors.static, prior.sample(2, generator=seed(0)).static)


@pytest.mark.parametrize("independent", [False, True])
def test_the_kept_side_is_the_sources_and_the_other_is_new(
    model: Disentangler, prior: LatentDDIM, independent: bool
) -> None:
    x = Sequences(torch.randn(1, 6, 8))
    own = model.encode(x.x).detach()
    for keep, new in (("static", "dynamic"), ("dynamic", "static")):
        result = swap_drawn(
            model,
            prior,
            x,
            keep=keep,  # type: ignore[arg-type]
            count=3,
            independent=independent,
            generator=seed(0),
        )
        drawn = getattr(result.factors, new)
        for i in range(3):
            torch.testing.assert_close(getattr(result.factors, keep)[i], getattr(own, keep)[0])
            assert not torch.allclose(drawn[i], getattr(own, new)[0], atol=1e-3)
        assert not torch.allclose(drawn[0], drawn[1], atol=1e-3)
        assert result.frames.shape == (3, 6, 8)
        torch.testing.assert_close(result.reconstructed, model.reconstruct(x.x)[0], atol=1e-4, rtol=1e-4)
        titles = [row[0].title for row in result.grid()]
        assert titles[:3] == ["source", "reconstructed", f"{keep} kept, {new} 1"]


def test_kept_dynamics_lend_their_noise(model: Disentangler, prior: LatentDDIM) -> None:
    x = Sequences(torch.randn(1, 6, 8))
    result = swap_drawn(model, prior, x, keep="dynamic", count=2, generator=seed(0))
    noise = invert(model, x.x, model.encode(x.x))
    assert noise is not None
    expected = model.decode(result.factors, noise=noise)
    torch.testing.assert_close(result.frames, expected, atol=1e-4, rtol=1e-4)


def test_a_given_content_is_kept_and_its_dynamics_are_drawn(model: Disentangler, prior: LatentDDIM) -> None:
    given = model.encode(torch.randn(1, 6, 8)).detach()
    drawn = generate(model, prior, 3, generator=seed(0), given=given)
    assert torch.equal(drawn.factors.static, given.static.expand(3, -1))
    assert not torch.allclose(drawn.factors.dynamic[0], drawn.factors.dynamic[1], atol=1e-3)
    with pytest.raises(InputError, match="given must hold 1 sequence; got 2"):
        generate(model, prior, 3, generator=seed(0), given=given[[0, 0]])


@pytest.fixture(scope="module")
def coded(coded_config: RunConfig) -> tuple[Disentangler, AutoregressivePrior, Factors]:
    """A model with codes, a prior of them that was hardly trained, and factors."""
    torch.manual_seed(0)
    model = build_model(coded_config).eval()
    for parameter in model.dit.parameters():  # type: ignore[union-attr, operator]
        torch.nn.init.normal_(parameter, std=0.15)  # a DiT starts at zero, whatever the factors are
    factors = model.encode(torch.randn(32, 6, 3, 8, 8)).detach()
    config = AutoregressiveConfig(width=16, depth=1, heads=2, epochs=2)
    prior = AutoregressivePrior.for_factors(config, factors, codebook=codebook_of(model))
    prior.fit(factors)
    return model, prior, factors


def test_sequences_of_drawn_codes(coded: tuple[Disentangler, AutoregressivePrior, Factors]) -> None:
    model, prior, factors = coded
    free = generate(model, prior, 3, generator=seed(0), steps=13, batch_size=2)
    assert free.frames.shape == (3, 13, 3, 8, 8)
    assert free.factors.extras["codes"].value.shape == (3, 13, 2)
    one = generate(model, prior, 1, generator=seed(0), steps=13)
    torch.testing.assert_close(one.frames, free.frames[:1], atol=1e-4, rtol=1e-4)
    held = generate(model, prior, 2, generator=seed(0), given=factors[5])
    assert held.frames.shape == (2, 6, 3, 8, 8)
    assert torch.equal(held.factors.static, factors.static[[5, 5]])


@pytest.mark.parametrize("independent", [False, True])
def test_swaps_with_drawn_codes(
    coded: tuple[Disentangler, AutoregressivePrior, Factors], independent: bool
) -> None:
    model, prior, _ = coded
    x = Sequences(torch.randn(1, 6, 3, 8, 8, generator=seed(2)))
    own = model.encode(x.x).detach()
    for keep in ("static", "dynamic"):
        result = swap_drawn(
            model,
            prior,
            x,
            keep=keep,  # type: ignore[arg-type]
            count=3,
            independent=independent,
            generator=seed(0),
        )
        assert result.frames.shape == (3, 6, 3, 8, 8)
        kept = getattr(own, keep)
        torch.testing.assert_close(getattr(result.factors, keep), kept.expand(3, *kept.shape[1:]))
        codes = result.factors.extras["codes"].value
        same = torch.equal(codes, own.extras["codes"].value.expand(3, -1, -1))
        assert same == (keep == "dynamic")
        new = result.factors.dynamic if keep == "static" else result.factors.static
        assert not torch.equal(new[0], new[1])


def test_bad_counts_are_refused(model: Disentangler, prior: LatentDDIM) -> None:
    with pytest.raises(InputError, match="at least 1; got 0"):
        generate(model, prior, 0, generator=seed(0))
    with pytest.raises(InputError, match=r"1 sequence and count ≥ 1; got 2 and 1"):
        swap_drawn(model, prior, Sequences(torch.randn(2, 6, 8)), keep="static", generator=seed(0))
