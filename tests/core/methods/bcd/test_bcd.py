from __future__ import annotations

from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from tests.core.methods.bcd.tiny_bcd import SIDE, STEPS, clips, configure, make, rows, waken
from torch import Tensor

from seqdis.core.capabilities import adjust, codebook_of
from seqdis.core.config import DataConfig
from seqdis.core.diffusion.loss import denoising_loss
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.model_files import state_to_save
from seqdis.core.pretrained import build_model
from seqdis.core.random import rand, randn
from seqdis.core.registry import list_methods
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of


def test_the_method_is_found_by_name() -> None:
    assert "bcd" in list_methods()


def test_shapes_and_codes() -> None:
    model = make()
    factors = model.encode(clips())
    assert factors.static.shape == (3, 2 * 32)
    assert factors.dynamic.shape == (3, STEPS, 16)
    assert factors.extras["codes"].side == "dynamic"
    assert torch.equal(model.quantizer.decode(factors.extras["codes"].value), factors.dynamic)
    assert torch.equal(model.encode(clips()).flatten(), factors.flatten())


def test_codes_travel_with_the_motion_in_a_swap() -> None:
    model = make()
    a, b = model.encode(clips()), model.encode(clips(seed=6))
    assert torch.equal(a.mix(b).extras["codes"].value, b.extras["codes"].value)


@pytest.mark.parametrize("steps", [1, 3, 20])
def test_any_number_of_frames(steps: int) -> None:
    model = waken(make(window=4))
    out = model.reconstruct(clips(2, steps), generator=torch.Generator().manual_seed(0))
    assert out.shape == (2, steps, 3, SIDE, SIDE)
    assert torch.isfinite(out).all()


def test_a_clip_within_the_window_passes_whole() -> None:
    model, windowed, x = waken(make()), waken(make(window=STEPS)), clips()
    assert torch.equal(model.encode(x).flatten(), windowed.encode(x).flatten())
    a, b = (m.reconstruct(x, generator=torch.Generator().manual_seed(0)) for m in (model, windowed))
    assert torch.equal(a, b)


def test_a_long_clip_is_encoded_in_windows() -> None:
    model, x = make(window=4, groups=8), clips(steps=10)  # windows at 0, 2, 4 and 6
    codes = model.encode(x).extras["codes"].value
    for start, inside in ((0, slice(0, 3)), (2, slice(1, 3)), (4, slice(1, 3)), (6, slice(1, 4))):
        alone = model.encode(x[:, start : start + 4]).extras["codes"].value
        assert torch.equal(codes[:, start + inside.start : start + inside.stop], alone[:, inside])


def test_the_content_of_a_long_clip_comes_from_a_window_of_frames_from_all_of_it() -> None:
    model, x = make(window=4), clips(steps=10)
    assert torch.equal(model.encode(x).static, model.encode(x[:, [0, 3, 6, 9]]).static)
    model = make(window=4, content_frames=2)
    assert torch.equal(model.encode(x).static, model.encode(x[:, [0, 9]]).static)


def test_a_long_motion_is_decoded_in_windows() -> None:
    """Of one evaluation of the network; over many, blended windows hand on what they know."""
    model, x = waken(make(window=4)), clips(2, steps=10)  # windows at 0, 2, 4 and 6
    z, level = model.condition(model.encode(x)), torch.zeros(2)
    content, motion = z.split([2 * 32, 10 * 16], dim=1)
    noisy = clips(2, steps=10, seed=8)
    whole = model.dit(noisy, level, z)

    def alone(start: int) -> Tensor:
        part = torch.cat([content, motion.unflatten(1, (10, 16))[:, start : start + 4].flatten(1)], dim=1)
        return model.dit(noisy[:, start : start + 4], level, part)

    torch.testing.assert_close(whole[:, :2], alone(0)[:, :2], rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(whole[:, 8:], alone(6)[:, 2:], rtol=1e-4, atol=1e-5)
    shared = 2 / 3 * alone(0)[:, 2] + 1 / 3 * alone(2)[:, 0]  # two from the edge of one, one of the other
    torch.testing.assert_close(whole[:, 2], shared, rtol=1e-4, atol=1e-5)


def test_the_encoder_knows_the_order_and_all_of_the_clip() -> None:
    model, x = make(), clips()
    encoded, turned = model.encoder(x.flatten(2)), model.encoder(x.flip(1).flatten(2))
    assert not torch.allclose(encoded.motion, turned.motion.flip(1), atol=1e-3)
    changed = x.clone()
    changed[:, 5] += 1
    assert ((model.encoder(changed.flatten(2)).content - encoded.content).abs().amax(2) > 1e-4).all()


def test_the_loss_is_the_formula_written_out() -> None:
    """Cross-driven, by hand: content of the first half, motion and target of the second."""
    model, x = waken(make()).train(), clips()
    got = model.loss(Sequences(x), generator=rows(3, 7))
    y, source = model.normalizer(x), rows(3, 7)
    first, second = (model.encoder(part.flatten(2)) for part in (y[:, :3], y[:, 3:]))
    tokens = torch.cat([first.motion, second.motion], dim=1)
    motion = model.quantizer(model.to_motion(tokens), generator=source)
    dropped = rand((3,), generator=source) < 0.1
    z = torch.cat([first.content.flatten(1), motion.z[:, 3:].flatten(1)], dim=1) * ~dropped[:, None]
    sigma = (-1.2 + 1.2 * randn((3,), generator=source)).exp()
    noise = randn((3, 3, 3, SIDE, SIDE), generator=source)
    diffusion = denoising_loss(model.denoiser, y[:, 3:], z, sigma=sigma, noise=noise)
    p = motion.probs.mean((0, 1))
    bits = -(p * p.log2()).sum()
    torch.testing.assert_close(got.loss, diffusion + 0.04 * (bits - 4.0) ** 2, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(got.terms["bits_per_frame"], bits.detach(), rtol=1e-4, atol=1e-5)
    used = {(g, j) for frame in motion.codes.flatten(0, 1).tolist() for g, j in enumerate(frame)}
    assert got.terms["codes_used"].item() == pytest.approx(len(used) / (2 * 8))
    torch.testing.assert_close(got.terms["kbps"], bits.detach() * 0.025, rtol=1e-4, atol=1e-5)


def test_without_a_target_there_is_no_bitrate_loss() -> None:
    out = waken(make(target_bits=None)).train().loss(Sequences(clips()), generator=rows(3))
    assert torch.equal(out.loss.detach(), out.terms["diffusion"])
    assert "bitrate" not in out.terms


def test_both_halves_of_a_clip_are_used() -> None:
    model = waken(make()).train()
    base = model.loss(Sequences(clips()), generator=rows(3)).terms
    first, second = clips(), clips()
    first[:, :3], second[:, 3:] = clips(seed=9)[:, :3], clips(seed=9)[:, 3:]
    # The first half lends its content, the second its motion; the rate is that of both.
    for x in (first, second):
        terms = model.loss(Sequences(x), generator=rows(3)).terms
        assert not torch.equal(terms["diffusion"], base["diffusion"])
        assert not torch.allclose(terms["bits_per_frame"], base["bits_per_frame"], atol=1e-4)


def test_the_motion_of_the_first_half_is_not_decoded() -> None:
    model = waken(make()).train()
    z: list[Tensor] = []
    model.dit.register_forward_pre_hook(
        lambda _, args, kwargs: z.append((*args, *kwargs.values())[-1]), with_kwargs=True
    )
    changed = clips()
    changed[:, 3:] = clips(seed=9)[:, 3:]
    for x in (clips(), changed):
        model.loss(Sequences(x), generator=rows(3))
    content = model.config.encoder.queries * model.config.encoder.width
    assert torch.equal(z[0][:, :content], z[1][:, :content])
    assert z[0].shape[1] == content + 3 * model.config.groups * model.config.code_dim


def test_without_cross_driving_the_whole_clip_is_rebuilt() -> None:
    model, seen = make(cross_driven=False).train(), []
    forward = model.dit.forward

    def record(x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        seen.append(x.shape[1])
        return forward(x, c_noise, z)

    model.dit.forward = record  # type: ignore[method-assign]
    model.loss(Sequences(clips()), generator=rows(3))
    assert seen == [STEPS]


def test_dropped_conditions_share() -> None:
    model, seen = make(condition_dropout=0.3).train(), []
    forward = model.dit.forward

    def record(x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        seen.append((z.abs().amax(1) == 0).float().mean().item())
        return forward(x, c_noise, z)

    model.dit.forward = record  # type: ignore[method-assign]
    model.loss(Sequences(clips(400)), generator=rows(400))
    assert seen[0] == pytest.approx(0.3, abs=0.07)


def test_every_parameter_gets_a_gradient_and_a_group() -> None:
    model = waken(make(condition_dropout=0.0, sampler=EDMConfig(steps=4))).train()
    model.loss(Sequences(clips()), generator=rows(3)).loss.backward()
    assert [name for name, p in model.named_parameters() if p.grad is None] == []
    grouped = [id(p) for group in hooks_of(model).parameter_groups().values() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())


def test_stages_switch_the_temporal_blocks() -> None:
    model = waken(make()).train()
    hooks_of(model).on_stage("spatial")
    model.loss(Sequences(clips()), generator=rows(3)).loss.backward()
    groups = hooks_of(model).parameter_groups()
    assert all(p.grad is None for p in groups["temporal"])
    assert all(p.grad is not None for p in groups["decoder"])
    hooks_of(model).on_stage("temporal")
    model.loss(Sequences(clips()), generator=rows(3)).loss.backward()
    assert all(p.grad is not None for p in groups["temporal"])
    with pytest.raises(InputError, match="unknown stage of bcd 'late'"):
        hooks_of(model).on_stage("late")


def test_the_temperature_follows_its_schedule() -> None:
    model = make(temperature=2.0, temperature_end=0.5, temperature_decay=0.5)
    values = [hooks_of(model).schedules()["temperature"](step) for step in range(4)]
    assert values == [2.0, 1.0, 0.5, 0.5]
    hooks_of(model).set_scheduled("temperature", 1.0)
    assert state_to_save(model)["quantizer.temperature"].item() == 1.0


def test_content_frames_are_spread_over_the_clip() -> None:
    whole, one = make(), make(content_frames=1)
    one.load_state_dict(whole.state_dict())
    x, changed = clips(), clips()
    changed[:, 1:] += 1
    assert torch.equal(one.encode(x).static, one.encode(changed).static)
    assert torch.equal(one.encode(x).static, whole.encode(x[:, :1]).static)
    assert torch.equal(one.encode(x).dynamic, whole.encode(x).dynamic)
    three = make(content_frames=3)
    three.load_state_dict(whole.state_dict())
    assert torch.equal(three.encode(x).static, whole.encode(x[:, [0, 2, 5]]).static)


def test_sample_0_does_not_depend_on_the_batch_nor_on_the_memory_bound() -> None:
    model, small = waken(make()), waken(make(max_frames_per_pass=STEPS))
    factors = model.encode(clips())
    alone = model.decode(factors[0], generator=torch.Generator().manual_seed(7))
    together = model.decode(factors, generator=torch.Generator().manual_seed(7))
    passes = small.decode(factors, generator=torch.Generator().manual_seed(7))
    torch.testing.assert_close(together[:1], alone, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(passes, together, rtol=1e-3, atol=1e-3)


def test_guidance_needs_dropped_conditions() -> None:
    with pytest.raises(InputError, match=r"guidance 1\.5: this model was trained with condition_dropout 0"):
        make(condition_dropout=0.0)
    model = waken(make())
    factors, noise = model.encode(clips()), 80 * clips(seed=8)
    guided = model.decode(factors, noise=noise)
    model.sampling.use(EDMConfig(steps=4))
    assert not torch.equal(model.decode(factors, noise=noise), guided)


def test_save_then_load_is_bit_equal(tmp_path: Path) -> None:
    model = waken(make())
    hooks_of(model).set_scheduled("temperature", 0.7)
    model.save_pretrained(tmp_path / "model")
    loaded = Disentangler.from_pretrained(tmp_path / "model")
    for name, value in state_to_save(model).items():
        assert torch.equal(value, state_to_save(loaded)[name]), name
    noise = 80 * clips(seed=8)
    assert torch.equal(
        loaded.decode(loaded.encode(clips()), noise=noise), model.decode(model.encode(clips()), noise=noise)
    )


def test_bad_input_is_named() -> None:
    model = make()
    with pytest.raises(InputError, match="two frames or more; got 1"):
        model.loss(Sequences(clips(steps=1)), generator=rows(3))
    with pytest.raises(InputError, match="factors of widths"):
        model.decode(Factors(torch.zeros(1, 9), torch.zeros(1, 6, 16)))
    with pytest.raises(InputError, match="noise: shape"):
        model.decode(model.encode(clips()), noise=torch.zeros(3, 5, 3, SIDE, SIDE))
    with pytest.raises(ValidationError, match=r"temperature_end 2\.0 is above temperature 1\.5"):
        make(temperature_end=2.0)
    vectors = configure().model_copy(
        update={"data": DataConfig(dataset="folder", length=4, frame_shape=(8,))}
    )
    with pytest.raises(InputError, match=r"bcd needs square frames \(C, H, H\) with its DiT; got \(8,\)"):
        build_model(vectors)


@pytest.mark.parametrize("window", [None, 4])
def test_a_padded_clip_is_the_short_clip(window: int | None) -> None:
    model, x = make(window=window), clips()
    mask = torch.arange(STEPS) < torch.tensor([STEPS, STEPS - 2, STEPS])[:, None]
    padded = model.encode(Sequences(x, mask=mask))
    assert torch.equal(padded.static[0], model.encode(x).static[0])
    if window is None:
        short = model.encode(x[1:2, : STEPS - 2])
        torch.testing.assert_close(padded.static[1:2], short.static, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(padded.dynamic[1:2, : STEPS - 2], short.dynamic, rtol=1e-5, atol=1e-5)
        start = model.sampling.sampler.sigma_max * torch.randn(
            3, STEPS, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)
        )
        decoded = model.decode(padded, noise=start)
        alone = model.decode(short, noise=start[1:2, : STEPS - 2])
        torch.testing.assert_close(decoded[1:2, : STEPS - 2], alone, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("cross_driven", [True, False])
def test_padding_and_missing_entries_have_no_part_in_the_loss(cross_driven: bool) -> None:
    model, x = make(cross_driven=cross_driven), clips()
    mask = torch.arange(STEPS) < torch.tensor([STEPS, STEPS - 2, 1])[:, None]
    observed = torch.rand(x.shape, generator=torch.Generator().manual_seed(1)) > 0.2
    other = torch.where(observed & mask[..., None, None, None], x, torch.full_like(x, torch.nan))
    first, second = (
        model.loss(Sequences(frames, mask=mask, observed=observed), generator=rows(3))
        for frames in (x, other)
    )
    assert torch.equal(first.loss, second.loss)
    assert torch.isfinite(first.loss)


def test_the_codebook_says_what_the_codes_stand_for() -> None:
    model = make()
    factors = model.encode(clips())
    codes, book = factors.extras["codes"].value, codebook_of(model)
    assert book.shape == (2, 8, 8)
    assert not book.requires_grad
    looked_up = torch.cat([book[group][codes[..., group]] for group in range(2)], dim=-1)
    assert torch.equal(looked_up, factors.dynamic)


def test_content_frames_and_windows_may_change_after_training() -> None:
    model, x = make(window=4), clips(steps=10)
    adjust(model, {"content_frames": 1, "window": 6})
    assert torch.equal(model.encode(x).flatten(), make(window=6, content_frames=1).encode(x).flatten())
    assert model.dit.window == 6
    assert model.run_config is not None
    assert model.run_config.model == configure(window=6, content_frames=1).model
    with pytest.raises(
        InputError, match="'groups' cannot change after training; allowed: content_frames, window"
    ):
        adjust(model, {"groups": 3})
    with pytest.raises(InputError, match="content_frames"):
        adjust(model, {"content_frames": 0})


def test_what_the_content_tells_of_the_motion_is_part_of_the_loss_and_logged() -> None:
    model = waken(make(predictability_weight=3.0)).train()
    output = model.loss(Sequences(clips()), generator=rows(3))
    terms, c = output.terms, model.config
    whole = terms["diffusion"] + c.bitrate_weight * terms["bitrate"]
    torch.testing.assert_close(output.loss.detach(), whole + terms["reading"] + 3 * terms["predictability"])
    grouped = [id(p) for group in hooks_of(model).parameter_groups().values() for p in group]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters())
    output.loss.backward()
    assert model.predictability is not None
    assert all(p.grad is not None and p.grad.any() for p in model.predictability.reader.parameters())
