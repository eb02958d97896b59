"""A sampler handed over for one call: an object, its settings, or its name."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seqdis.core.diffusion.denoiser import DenoiseFunction
from seqdis.core.diffusion.noise import linear_schedule
from seqdis.core.diffusion.samplers import (
    DDIMConfig,
    DDIMSampler,
    DDPMConfig,
    DPMPPConfig,
    DPMPPSampler,
    EDMConfig,
    EDMSampler,
)
from seqdis.core.diffusion.samplers.sampling import Sampling
from seqdis.core.errors import InputError

SHAPE = (2, 3, 4)


def seed(value: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(value)


def bind(z: Tensor) -> DenoiseFunction:
    """A Gaussian around the condition: the null one has its mean at zero."""
    return lambda x, level: (0.25 * x + level**2 * z) / (0.25 + level**2)


def sample(sampling: Sampling, **options: Any) -> Tensor:
    denoise = sampling.denoise(bind, torch.ones(SHAPE))
    return sampling.sample(denoise, SHAPE, generator=seed(), **options).x


@pytest.mark.parametrize(
    ("given", "same"),
    [
        (DDIMSampler(steps=5), DDIMConfig(steps=5)),
        (DDIMConfig(steps=5, eta=0.5), DDIMConfig(steps=5, eta=0.5)),
        ("dpmpp", DPMPPConfig(steps=6, rho=5.0)),  # the model's own settings, as far as it has them
        (EDMSampler(steps=4, s_churn=9.0), EDMConfig(steps=4, s_churn=9.0)),
    ],
)
def test_a_sampler_of_one_call_stands_in_for_the_models(given: Any, same: Any) -> None:
    own = EDMConfig(steps=6, rho=5.0, s_churn=2.0)
    sampling = Sampling(own, guidable=True)
    usual = sample(sampling)
    once = sample(sampling, sampler=given)
    assert not torch.equal(once, usual)
    assert torch.equal(once, sample(Sampling(same, guidable=True)))
    assert torch.equal(sample(sampling), usual)
    assert sampling.config == own


def test_guidance_stays_the_models_unless_the_sampler_says_otherwise() -> None:
    sampling = Sampling(EDMConfig(steps=6, guidance=2.0), guidable=True)
    guided = sample(Sampling(DDIMConfig(steps=6, guidance=2.0), guidable=True))
    assert torch.equal(sample(sampling, sampler=DDIMSampler(steps=6)), guided)
    assert torch.equal(sample(sampling, sampler="ddim"), guided)
    plain = sample(Sampling(DDIMConfig(steps=6), guidable=True))
    assert torch.equal(sample(sampling, sampler=DDIMSampler(steps=6, guidance=1.0)), plain)
    assert not torch.equal(guided, plain)


def test_levels_are_the_models_own_unless_the_sampler_says_otherwise() -> None:
    chain = linear_schedule(50)
    sampling = Sampling(DDPMConfig(steps=50), guidable=False, chain=chain)
    assert sampling.sampler.sigmas == chain.levels(50).tolist()
    once = sample(sampling, sampler=DPMPPSampler(steps=9))
    assert torch.equal(
        once, sample(Sampling(DPMPPConfig(steps=9, levels="chain"), guidable=False, chain=chain))
    )
    karras = sample(sampling, sampler=DPMPPSampler(steps=9, levels="karras"))
    assert torch.equal(karras, sample(Sampling(DPMPPConfig(steps=9), guidable=False)))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (DDIMSampler(guidance=2), r"sampler\.guidance 2\.0: this model was trained with condition_dropout 0"),
        (DDIMSampler(levels="chain"), r"sampler\.levels 'chain': this model was not trained on one"),
        ("euler", "unknown sampler 'euler'; allowed: ddim, ddpm, dpmpp, edm, unipc"),
        (5, r"sampler 5; allowed: a sampler such as DDIMSampler\(steps=16\), its settings, or a name: ddim,"),
        (DDIMSampler(sigma_max=0.001), "0 < sigma_min < sigma_max"),
        (DDIMSampler, "allowed: a sampler such as"),
    ],
)
def test_a_sampler_that_does_not_fit_the_model_is_refused(given: Any, message: str) -> None:
    sampling = Sampling(EDMConfig(steps=4), guidable=False)
    for action in (lambda: sample(sampling, sampler=given), lambda: sampling.use(given)):
        with pytest.raises(InputError, match=message) as caught:
            action()
        assert "\n" not in str(caught.value)
    assert sampling.config == EDMConfig(steps=4)


def test_quick_decoding_is_short_and_calm_and_afterwards_all_is_as_before() -> None:
    sampling = Sampling(EDMSampler(steps=40, s_churn=10.0), guidable=False)
    with sampling.quick():
        assert (len(sampling.sampler.sigmas), sampling.sampler.draws) == (9, False)
    assert sampling.config == EDMConfig(steps=40, s_churn=10.0)
    sampling.use("ddpm")
    with sampling.quick():
        assert (sampling.config.kind, sampling.config.steps) == ("ddpm", 8)


def test_the_inverter_is_the_sampler_without_fresh_noise() -> None:
    sampling = Sampling(DDIMConfig(steps=5, eta=0.5), guidable=False)
    assert sampling.inverter.config == DDIMConfig(steps=5)
    sampling.use(DDPMConfig(steps=5, rho=5.0))
    assert sampling.inverter.config == EDMConfig(steps=5, rho=5.0)
