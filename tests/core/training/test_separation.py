from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.nn.noisy_factors import NoisyFactors
from seqdis.core.nn.predictability import Predictability
from seqdis.core.random import GeneratorStack
from seqdis.core.training.separation import set_separation

COUNT = 400


def rows(seed: int = 0) -> GeneratorStack:
    return GeneratorStack.each([torch.Generator().manual_seed(seed * COUNT + i) for i in range(COUNT)])


def nothing() -> Factors:
    return Factors(torch.zeros(COUNT, 8), torch.zeros(COUNT, 3, 8))


def test_schedules_move_the_noise_of_training_alone() -> None:
    noisy = NoisyFactors(static_noise=0.5, dynamic_noise=0.1)
    set_separation("static_noise", 2.0, channels=noisy, predictability=None, method="m")
    for name, sent in (("training", noisy(nothing(), rows())), ("drawn", noisy.draw(nothing(), rows()))):
        assert abs(float(sent.static.std()) - {"training": 2.0, "drawn": 0.5}[name]) < 0.05
        assert abs(float(sent.dynamic.std()) - 0.1) < 0.01
    assert abs(float(noisy.eval()(nothing(), rows()).static.std()) - 0.5) < 0.02


def test_schedules_move_the_weight_of_training_alone() -> None:
    torch.manual_seed(0)
    reader = Predictability(4, 2, weight=3.0, hidden=16)
    channels = NoisyFactors(static_noise=0.0, dynamic_noise=0.0)
    set_separation("predictability_weight", 0.5, channels=channels, predictability=reader, method="m")
    static, dynamic = torch.randn(8, 4), torch.randn(8, 6, 2)
    for training, weight in ((True, 0.5), (False, 3.0)):
        both = reader.train(training)(static, dynamic)
        torch.testing.assert_close(both.total, both.reading + weight * both.share)


@pytest.mark.parametrize("name", ["static_noise", "predictability_weight", "noise"])
def test_a_value_that_there_is_not_is_an_error(name: str) -> None:
    noisy = NoisyFactors(static_noise=0.0, dynamic_noise=0.1)
    with pytest.raises(
        InputError,
        match=rf"value '{name}'; m has static_noise, dynamic_noise, predictability_weight, each where",
    ):
        set_separation(name, 1.0, channels=noisy, predictability=None, method="m")
