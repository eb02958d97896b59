"""DiViD with noise on ``d`` and with what ``s`` tells of ``d`` driven out, neither of which the paper has."""

from __future__ import annotations

import pytest
import torch
from tests.core.methods.divid.tiny_divid import clips, make, rows

from seqdis.core.capabilities import draw_factors
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of


def test_draws_scatter_around_a_mean_of_unit_power_in_d_alone() -> None:
    model, x = make(dynamic_noise=0.5), clips(64)
    mean, drawn = model.encode(x), draw_factors(model, x, generator=rows(64))
    assert drawn is not None
    power = mean.dynamic.square().mean(2)
    torch.testing.assert_close(power, torch.ones_like(power), rtol=1e-3, atol=0)
    assert torch.equal(drawn.static, mean.static)
    assert abs(float((drawn.dynamic - mean.dynamic).std()) - 0.5) < 0.05
    assert torch.equal(draw_factors(make(), x, generator=rows(64)).dynamic, make().encode(x).dynamic)  # type: ignore[union-attr]


def test_the_noise_reaches_the_tokens_and_a_stage_moves_it() -> None:
    model = make(dynamic_noise=0.5).train()
    hooks, data = hooks_of(model), Sequences(clips(4))
    hooks.on_stage("training")

    def loss() -> float:
        return float(model.loss(data, generator=rows(4)).terms["orthogonality"])

    hooks.set_scheduled("dynamic_noise", 0.0)
    quiet = loss()
    hooks.set_scheduled("dynamic_noise", 3.0)
    assert abs(loss() - quiet) > 1e-4
    with pytest.raises(InputError, match="stage 'other'; divid has: training"):
        hooks.on_stage("other")
    with pytest.raises(
        InputError,
        match="value 'dynamic_noise'; divid has static_noise, dynamic_noise, predictability_weight, each where",
    ):
        hooks_of(make()).set_scheduled("dynamic_noise", 1.0)


def test_what_s_tells_of_d_is_part_of_the_loss_and_logged() -> None:
    model = make(predictability_weight=3.0).train()
    output = model.loss(Sequences(clips(4)), generator=rows(4))
    terms = output.terms
    whole = terms["ddpm"] + 0.1 * terms["orthogonality"] + terms["reading"] + 3 * terms["predictability"]
    torch.testing.assert_close(output.loss.detach(), whole)
