"""Factors of a sequence on a CPU, bit for bit the same in any company and under any bound on memory."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch import Tensor

from seqdis.core.config import RunConfig, change_config
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors
from seqdis.core.pretrained import build_model
from seqdis.core.registry import list_methods, list_presets

SEQUENCES = 5


@functools.cache
def smallest(method: str) -> RunConfig:
    """The preset of a method whose sequences are smallest."""
    configs = [config for build in list_presets().values() if (config := build()).method == method]
    known = [one for one in configs if one.data.frame_shape and one.codec.name == "identity"]
    return min(known, key=lambda one: one.data.length * math.prod(one.data.frame_shape))


def model_of(config: RunConfig) -> Disentangler:
    torch.manual_seed(0)
    model = build_model(config).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1 and not bool(
            parameter.any()
        ):  # a layer that begins at zero would hide all before it
            torch.nn.init.normal_(parameter, std=0.02)
    return model


def flat(factors: Factors) -> Tensor:
    extras = [extra.value.flatten(1).float() for extra in factors.extras.values()]
    return torch.cat([factors.flatten(), *extras], dim=1)


@pytest.mark.parametrize("method", list_methods())
def test_a_sequence_has_the_same_factors_alone_in_a_batch_and_in_passes_of_other_sizes(method: str) -> None:
    config = smallest(method)
    model = model_of(config)
    shape = (SEQUENCES, config.data.length, *config.data.frame_shape)
    x = torch.rand(shape, generator=torch.Generator().manual_seed(1))
    batch = flat(model.encode(x))
    assert torch.equal(flat(model.encode(x[:1]))[0], batch[0])
    assert torch.equal(flat(model.encode(x[:2])), batch[:2])
    # Places in a pass differ: equal where this was measured, and to rounding where a library's tiles end elsewhere.
    last = flat(model.encode(x[-1:]))[0]
    torch.testing.assert_close(last, batch[-1], rtol=0, atol=1e-5)
    if "max_frames_per_pass" in type(config.model).model_fields:
        small = model_of(change_config(config, {"model.max_frames_per_pass": 3}))
        assert torch.equal(flat(small.encode(x)), batch)


def test_every_method_has_a_preset_to_be_tried() -> None:
    assert {smallest(method).method for method in list_methods()} == set(list_methods())
    assert len(list_methods()) >= 6
