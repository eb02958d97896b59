from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis.generate import generate, swap_drawn
from seqdis.core.data.sequence import SequenceBatch
from seqdis.core.disentangler import Disentangler, build_model
from seqdis.core.errors import InputError
from seqdis.core.priors.latent_ddim import LatentDDIM
from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
from seqdis.core.registry import get_preset


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
    assert reports == [(2, 5), (4, 5), (5, 5)]
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
    x = SequenceBatch(torch.randn(1, 6, 8))
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
    x = SequenceBatch(torch.randn(1, 6, 8))
    result = swap_drawn(model, prior, x, keep="dynamic", count=2, generator=seed(0))
    noise = model.invert(x.x, model.encode(x.x))
    assert noise is not None
    expected = model.decode(result.factors, noise=noise)
    torch.testing.assert_close(result.frames, expected, atol=1e-4, rtol=1e-4)


def test_bad_counts_are_refused(model: Disentangler, prior: LatentDDIM) -> None:
    with pytest.raises(InputError, match="at least 1; got 0"):
        generate(model, prior, 0, generator=seed(0))
    with pytest.raises(InputError, match=r"1 sequence and count ≥ 1; got 2 and 1"):
        swap_drawn(model, prior, SequenceBatch(torch.randn(2, 6, 8)), keep="static", generator=seed(0))
