"""DiffSDA with the residual encoder, and with noise on ``d``."""

from __future__ import annotations

from pathlib import Path
from shutil import copytree, rmtree

import pytest
import torch
from tests.core.methods.diffsda.tiny_diffsda import batch, make, rows
from torch import Tensor

from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.nn.residual_encoder import ResidualEncoder
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import get_preset
from seqdis.core.sequences import Sequences
from seqdis.core.training import train
from seqdis.core.training.checkpoint import list_checkpoints
from seqdis.core.training.hooks import hooks_of

RESIDUAL = ("sequence_encoder=residual", "attention_heads=2")


def test_static_has_seen_the_first_frame_alone() -> None:
    model, x = make(*RESIDUAL), batch()
    assert isinstance(model.sequence_encoder, ResidualEncoder)
    changed = x.clone()
    changed[:, 1:] += 1
    before, after = model.encode(x), model.encode(changed)
    assert torch.equal(before.static, after.static)
    assert (before.dynamic - after.dynamic).abs().max() > 1e-3


@pytest.mark.parametrize("change", ["causal=false", "memory=9", "shared_static=false"])
def test_what_only_the_lstms_have_is_refused(change: str) -> None:
    with pytest.raises(
        InputError, match=rf"'residual' has no {change.partition('=')[0]}, which is .* 'lstms'"
    ):
        make(*RESIDUAL, change)


def test_static_of_random_frames_is_their_mean_and_needs_the_residual_encoder() -> None:
    model, x = make(*RESIDUAL, "static_frames=random"), batch()
    frames = torch.stack([model.encode(x[:, [step, step]]).static for step in range(x.shape[1])])
    torch.testing.assert_close(model.encode(x).static, frames.mean(0), rtol=1e-4, atol=1e-5)
    with pytest.raises(InputError, match="static_frames 'random' needs sequence_encoder 'residual'"):
        make("static_frames=random")


@pytest.mark.parametrize("change", ["hidden_dim=33", "attention_heads=5"])
def test_heads_that_do_not_divide_the_width_are_refused(change: str) -> None:
    with pytest.raises(InputError, match=r"hidden_dim \d+ and attention_heads \d+: .* an even width"):
        make(*RESIDUAL, change)


def test_without_noise_a_draw_is_what_encode_gives() -> None:
    model = make()
    drawn = model.draw_factors(batch(), generator=rows(4))
    assert torch.equal(drawn.flatten(), model.encode(batch()).flatten())


def test_draws_scatter_around_a_mean_of_unit_power_in_d_alone() -> None:
    model, x = make("dynamic_noise=0.5"), batch(1)
    mean = model.encode(x)
    torch.testing.assert_close(mean.dynamic.square().mean(2), torch.ones(1, 6), rtol=1e-3, atol=0)
    drawn = model.draw_factors(
        x.expand(4000, -1, -1), generator=GeneratorStack.spawn(torch.Generator().manual_seed(0), 4000)
    )
    torch.testing.assert_close(drawn.static, mean.static.expand(4000, -1))
    torch.testing.assert_close(drawn.dynamic.mean(0), mean.dynamic[0], rtol=0, atol=0.05)
    torch.testing.assert_close(drawn.dynamic.std(0), torch.full((6, 2), 0.5), rtol=0.1, atol=0)


def test_a_draw_of_one_sequence_does_not_depend_on_the_others() -> None:
    model, x = make("dynamic_noise=1"), batch()

    def sources(count: int) -> GeneratorStack:
        return GeneratorStack.each([torch.Generator().manual_seed(i) for i in range(count)])

    together = model.draw_factors(x, generator=sources(4))
    alone = model.draw_factors(x[:1], generator=sources(1))
    assert torch.equal(together.dynamic[:1], alone.dynamic)


def test_the_decoder_is_trained_on_draws() -> None:
    quiet, loud = make("dynamic_noise=1e-6"), make("dynamic_noise=2")
    loud.load_state_dict(quiet.state_dict())
    data = Sequences(batch(64))
    seen = [_condition(model, data) for model in (quiet, loud)]
    static, dynamic = (
        (a - b).detach() for a, b in zip(*(part.split([8, 2], 2) for part in seen), strict=True)
    )
    assert static.abs().max() < 1e-5
    assert abs(float(dynamic.std()) - 2) < 0.2


def test_noise_on_s_is_one_draw_a_sequence_and_leaves_d_as_it_is() -> None:
    quiet, loud = make("static_noise=1e-6"), make("static_noise=2")
    loud.load_state_dict(quiet.state_dict())
    data = Sequences(batch(64))
    seen = [_condition(model, data) for model in (quiet, loud)]
    static, dynamic = (
        (a - b).detach() for a, b in zip(*(part.split([8, 2], 2) for part in seen), strict=True)
    )
    assert dynamic.abs().max() == 0
    assert abs(float(static.std()) - 2) < 0.2
    torch.testing.assert_close(static, static[:, :1].expand_as(static))
    mean = loud.encode(batch(64)).static
    torch.testing.assert_close(mean.square().mean(1), torch.ones(64), rtol=1e-3, atol=0)
    drawn = loud.draw_factors(batch(64), generator=rows(64)).static - mean
    assert abs(float(drawn.std()) - 2) < 0.2


def test_a_stage_raises_the_noise_of_training_alone() -> None:
    model = make("dynamic_noise=0.5").train()
    hooks = hooks_of(model)
    hooks.on_stage("training")
    data = Sequences(batch(64))
    hooks.set_scheduled("dynamic_noise", 0.0)
    exact = _condition(model, data)
    torch.testing.assert_close(exact, model.condition(model.encode(batch(64))).detach(), rtol=1e-4, atol=1e-5)
    hooks.set_scheduled("dynamic_noise", 2.0)
    assert abs(float((_condition(model, data) - exact)[..., 8:].std()) - 2) < 0.2
    model.eval()  # losses of validations compare
    assert abs(float((_condition(model, data) - exact)[..., 8:].std()) - 0.5) < 0.05
    drawn = model.draw_factors(batch(64), generator=rows(64)).dynamic - model.encode(batch(64)).dynamic
    assert abs(float(drawn.std()) - 0.5) < 0.05


def test_a_run_with_the_ramp_goes_on_bit_for_bit(tmp_path: Path) -> None:
    stage = '[{"name":"training","steps":4,"ramps":{"dynamic_noise":{"start":0,"end":1}}}]'
    config = apply_overrides(
        get_preset("toy"),
        [
            "dynamic_noise=1",
            f"train.stages={stage}",
            "train.steps=6",
            "train.save_every=2",
            "train.batch_size=4",
        ],
    )
    whole = train(config, tmp_path / "whole", show_progress=False)
    copytree(tmp_path / "whole", tmp_path / "cut")
    rmtree(list_checkpoints(tmp_path / "cut" / "checkpoints")[-1])
    (tmp_path / "cut" / "model.safetensors").unlink()
    again = train(config, tmp_path / "cut", resume=True, show_progress=False)
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), again.parameters(), strict=True))


@pytest.mark.parametrize(("overrides", "name"), [((), "dynamic_noise"), (("dynamic_noise=1",), "other")])
def test_other_values_and_stages_are_refused(overrides: tuple[str, ...], name: str) -> None:
    hooks = hooks_of(make(*overrides))
    with pytest.raises(
        InputError,
        match=rf"value '{name}'; diffsda has static_noise, dynamic_noise, predictability_weight, each where",
    ):
        hooks.set_scheduled(name, 1.0)
    with pytest.raises(InputError, match="stage 'other'; diffsda has: training"):
        hooks.on_stage("other")


def _condition(model: Disentangler, data: Sequences) -> Tensor:
    """What the denoiser's network is given of the factors in a training step, ``(B, V, S + D)``."""
    received: list[Tensor] = []
    hook = model.denoiser.network.register_forward_pre_hook(lambda _, inputs: received.append(inputs[2]))
    model.loss(data, generator=rows(len(data)))
    hook.remove()
    return received[0].detach().view(*data.x.shape[:2], -1)


def test_what_s_tells_of_d_is_part_of_the_loss_and_logged() -> None:
    torch.manual_seed(0)
    model = make("predictability_weight=3").train()
    output = model.loss(batch(), generator=rows(4))
    told, reading = output.terms["predictability"], output.terms["reading"]
    torch.testing.assert_close(output.loss.detach(), output.terms["diffusion"] + reading + 3 * told)
    output.loss.backward()
    assert model.predictability is not None
    assert all(p.grad is not None and p.grad.any() for p in model.predictability.reader.parameters())
    assert make().predictability is None


def test_one_s_a_step_has_no_predictability() -> None:
    with pytest.raises(
        InputError, match=r"predictability_weight 1\.0 with shared_static false; allowed there: 0"
    ):
        make("predictability_weight=1", "shared_static=false")
