from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.core.methods.diffsda.tiny_diffsda import batch, make, rows
from torch import Tensor

from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.model_files import state_to_save
from seqdis.core.registry import build_dataset
from seqdis.core.sequences import Sequences


@pytest.fixture(scope="module")
def trained() -> Disentangler:
    """Half a minute of nothing but the loss, so that what follows is about a model that works."""
    model = make("sampler.steps=24", "dynamic_dim=1").train()  # a ramp's height is all that moves
    data = build_dataset("toy", model.run_config.data, "train")  # type: ignore[union-attr]
    optimizer = torch.optim.Adam(model.parameters(), 4e-3)
    picks = torch.Generator().manual_seed(0)
    for step in range(300):
        chosen = data.fetch(torch.randint(len(data), (24,), generator=picks).tolist())
        optimizer.zero_grad()
        model.loss(chosen, generator=rows(24, step)).loss.backward()
        optimizer.step()
    return model.eval()


def test_trained_model_reconstructs_and_swaps(trained: Disentangler) -> None:
    data = build_dataset("toy", trained.run_config.data, "test").fetch(range(32))  # type: ignore[union-attr]
    x, labels = data.x, data.labels
    assert (trained.reconstruct(x) - x).square().mean() < 0.01 * x.var()
    a, b = x[:16], x[16:]
    swapped = trained.swap(a, b)
    level = swapped[..., :4].mean((1, 2)).round() + 1
    slope = swapped[:, -1, 4:].mean(1) - swapped[:, 0, 4:].mean(1)
    assert (level == labels["level"][:16]).float().mean() >= 0.9
    assert ((slope < 0) == labels["path"][16:].bool()).float().mean() >= 0.9


def test_shapes_and_determinism_of_encoding() -> None:
    model = make()
    factors = model.encode(batch())
    assert factors.static.shape == (4, 8)
    assert factors.dynamic.shape == (4, 6, 2)
    assert torch.equal(factors.flatten(), model.encode(batch()).flatten())


def test_causal_encoding_follows_equation_2() -> None:
    model = make()
    x = batch()
    changed = x.clone()
    changed[:, 4:] += 1
    a, b = model.encode(x).dynamic, model.encode(changed).dynamic
    torch.testing.assert_close(a[:, :4], b[:, :4])
    assert (a[:, 4:] - b[:, 4:]).abs().max() > 1e-4


def test_sample_0_does_not_depend_on_the_batch(trained: Disentangler) -> None:
    trained.sampling.use(EDMConfig(steps=6, s_churn=10))
    try:
        factors = trained.encode(batch())
        alone = trained.decode(factors[0], generator=torch.Generator().manual_seed(7))
        together = trained.decode(factors, generator=torch.Generator().manual_seed(7))
        each = trained.decode(factors[:2], generator=[torch.Generator().manual_seed(s) for s in (1, 2)])
        second = trained.decode(factors[1], generator=[torch.Generator().manual_seed(2)])
    finally:
        trained.sampling.use(EDMConfig(steps=24))
    torch.testing.assert_close(together[:1], alone, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(each[1:], second, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("limit", [1, 5, 7])
def test_the_memory_bound_does_not_change_results(trained: Disentangler, limit: int) -> None:
    small = make(f"max_frames_per_pass={limit}", "sampler.steps=8", "dynamic_dim=1")
    whole = make("sampler.steps=8", "dynamic_dim=1")
    small.load_state_dict(trained.state_dict())
    whole.load_state_dict(trained.state_dict())
    torch.testing.assert_close(
        small.encode(batch()).dynamic, whole.encode(batch()).dynamic, rtol=1e-4, atol=1e-5
    )
    torch.testing.assert_close(small.reconstruct(batch()), whole.reconstruct(batch()), rtol=1e-3, atol=1e-3)

    def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
        return torch.zeros_like(x) + z[:, :1]


def test_a_subset_of_frames_is_an_unbiased_estimate_of_the_loss() -> None:
    whole, part = make(), make("frames_per_clip=2")
    part.load_state_dict(whole.state_dict())
    data = Sequences(batch(64))
    full = torch.stack([whole.loss(data, generator=rows(64, s)).loss for s in range(60)])
    some = torch.stack([part.loss(data, generator=rows(64, s)).loss for s in range(180)])
    error = (full.var() / 60 + some.var() / 180).sqrt()
    assert (full.mean() - some.mean()).abs() < 4 * error


def test_a_subset_of_frames_is_unbiased_for_padded_sequences_too() -> None:
    whole, part = make(), make("frames_per_clip=2")
    part.load_state_dict(whole.state_dict())
    mask = torch.arange(6) < torch.tensor([1, 2, 3, 6] * 16)[:, None]
    data = Sequences(batch(64) * 3, mask=mask)
    full = torch.stack([whole.loss(data, generator=rows(64, s)).loss for s in range(60)])
    some = torch.stack([part.loss(data, generator=rows(64, s)).loss for s in range(240)])
    error = (full.var() / 60 + some.var() / 240).sqrt()
    assert (full.mean() - some.mean()).abs() < 4 * error


def test_padding_and_missing_entries_do_not_touch_the_loss_or_the_factors() -> None:
    model = make()
    x, other = batch(), batch()
    mask = torch.ones(4, 6, dtype=torch.bool)
    mask[:, 4:] = False
    observed = torch.rand(4, 6, 8, generator=torch.Generator().manual_seed(1)) > 0.3
    other[:, 4:] = 9.0
    other[~observed] = -7.0
    kwargs = {"mask": mask, "observed": observed}
    a = model.loss(Sequences(x, **kwargs), generator=rows(4)).loss  # type: ignore[arg-type]
    b = model.loss(Sequences(other, **kwargs), generator=rows(4)).loss  # type: ignore[arg-type]
    assert torch.equal(a, b)
    seen, unseen = (model.encode(Sequences(frames, **kwargs)) for frames in (x, other))  # type: ignore[arg-type]
    assert torch.equal(seen.flatten(), unseen.flatten())
    assert not torch.equal(a, model.loss(Sequences(x), generator=rows(4)).loss)


def test_every_parameter_gets_a_gradient() -> None:
    model = make("causal=false").train()
    model.loss(Sequences(batch()), generator=rows(4)).loss.backward()
    without = [name for name, p in model.named_parameters() if p.grad is None]
    assert without == []


@pytest.mark.parametrize(
    "overrides", [("shared_static=false",), ("causal=false",), ("noise_repeats=3",), ("sigma_per=sequence",)]
)
def test_options_train_and_decode(overrides: tuple[str, ...]) -> None:
    model = make(*overrides, "sampler.steps=2")
    assert torch.isfinite(model.loss(Sequences(batch()), generator=rows(4)).loss)
    assert model.swap(batch(), batch(1)).shape == batch().shape


def test_save_then_load_is_bit_equal(trained: Disentangler, tmp_path: Path) -> None:
    trained.save_pretrained(tmp_path / "model")
    loaded = Disentangler.from_pretrained(tmp_path / "model")
    for name, value in state_to_save(trained).items():
        assert torch.equal(value, state_to_save(loaded)[name]), name
    assert torch.equal(loaded.normalizer.mean, trained.normalizer.mean)
    assert torch.equal(loaded.encode(batch()).flatten(), trained.encode(batch()).flatten())
    assert {p.name for p in (tmp_path / "model").iterdir()} == {"config.json", "model.safetensors"}


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (torch.randn(4, 6, 7), r"input: shape \(4, 6, 7\); allowed: \(B, V, 8\)"),
        (Sequences(torch.full((1, 2, 8), float("nan"))), "input: 16 of 16 values are NaN or Inf"),
        (
            Sequences(torch.tensor([[[float("inf"), *[0.0] * 7]]])),
            r"1 of 8 values are NaN or Inf, the first at index \(0, 0, 0\)",
        ),
        (torch.tensor([[[float("inf"), *[0.0] * 7]]]), r"infinite .*, the first at index \(0, 0, 0\)"),
    ],
)
def test_bad_input_is_named(x: Tensor | Sequences, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make().encode(x)


def test_factors_and_noise_of_another_model_are_refused() -> None:
    model = make()
    with pytest.raises(InputError, match=r"factors of widths \(9, 2\); the model's are \(8, 2\)"):
        model.decode(Factors(torch.zeros(1, 9), torch.zeros(1, 6, 2)))
    with pytest.raises(InputError, match=r"noise: shape \(1, 5, 8\); allowed: \(1, 6, 8\)"):
        model.decode(model.encode(batch(1)), noise=torch.zeros(1, 5, 8))


@pytest.mark.parametrize("kind", ["edm", "ddim", "ddpm", "dpmpp", "unipc"])
def test_any_sampler_decodes_a_trained_model(trained: Disentangler, kind: str) -> None:
    data = build_dataset("toy", trained.run_config.data, "test").fetch(range(8))  # type: ignore[union-attr]
    trained.sampling.use(EDMConfig(steps=24))
    trained.sampling.use(kind)
    try:
        made = trained.reconstruct(data.x, generator=torch.Generator().manual_seed(0))
    finally:
        trained.sampling.use(EDMConfig(steps=24))
    assert (made - data.x).square().mean() < 0.05 * data.x.var()


def test_guidance_needs_a_model_that_was_trained_for_it() -> None:
    with pytest.raises(
        InputError, match=r"sampler\.guidance 2\.0: this model was trained with condition_dropout 0"
    ):
        make().sampling.use(EDMConfig(guidance=2.0))
    model = make("condition_dropout=0.5", "sampler.steps=4")
    factors = model.encode(batch())
    noise = 80 * torch.randn(4, 6, 8, generator=torch.Generator().manual_seed(1))
    plain = model.decode(factors, noise=noise)
    model.sampling.use(EDMConfig(steps=4, guidance=2.0, guidance_interval=(1e3, 1e4)))
    assert torch.equal(model.decode(factors, noise=noise), plain)
    model.sampling.use(EDMConfig(steps=4, guidance=0.0))
    nobody = model.decode(factors, noise=noise)
    other = Factors(factors.static + 1, factors.dynamic - 1)
    assert torch.equal(model.decode(other, noise=noise), nobody)
    assert not torch.equal(nobody, plain)


def test_dropped_conditions_are_null_in_training() -> None:
    class Recorder(torch.nn.Module):
        def forward(self, x: Tensor, c_noise: Tensor, z: Tensor) -> Tensor:
            self.z = z.detach()
            return torch.zeros_like(x) + z.sum(1, keepdim=True) * 0

    model = make("condition_dropout=0.3")
    model.denoiser.network = Recorder()  # type: ignore[union-attr, assignment]
    model.loss(Sequences(batch(200)), generator=rows(200))
    share = (model.denoiser.network.z.abs().amax(1) == 0).float().mean().item()  # type: ignore[union-attr]
    assert share == pytest.approx(0.3, abs=0.05)


@pytest.mark.parametrize(
    ("shared", "repeats", "expected"),
    [("frame", 1, 6), ("sequence", 1, 1), ("frame", 2, 12), ("sequence", 2, 2)],
)
def test_a_noise_level_is_shared_by_a_frame_or_by_a_sequence(
    shared: str, repeats: int, expected: int
) -> None:
    model = make(f"model.sigma_per={shared}", f"model.noise_repeats={repeats}")
    seen: list[Tensor] = []
    conditions: list[Tensor] = []
    model.denoiser.network.register_forward_pre_hook(
        lambda _, given: (seen.append(given[1]), conditions.append(given[2]))[0]
    )
    model.loss(Sequences(batch(4)), generator=rows(4))
    levels = torch.cat(seen).view(4, 6 * repeats)  # ln(σ)/4 of each frame
    assert [len(row.unique()) for row in levels] == [expected] * 4
    assert len(levels.unique()) == 4 * expected
    if shared == "sequence":  # each repetition of the whole sequence has its own level
        assert torch.equal(levels, levels[:, ::6].repeat_interleave(6, dim=1))
    z = torch.cat(conditions).view(4, repeats, 6, -1)
    assert torch.equal(z, z[:, :1].expand_as(z))
    assert not torch.equal(z[:, :, 0], z[:, :, 1])


def test_gradients_reach_the_factors_and_the_frames_where_they_are_asked_for() -> None:
    model = make("model.sampler.steps=4")
    with torch.no_grad():
        for value in model.denoiser.parameters():  # the last layer begins at 0
            value.add_(0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(value.numel())))
    x = batch(2)
    factors = model.encode(x)
    noise = torch.randn(2, 6, *x.shape[2:], generator=torch.Generator().manual_seed(0))
    static = factors.static.clone().requires_grad_()

    def decoded(s: Tensor, *, grad: bool) -> Tensor:
        return model.decode(Factors(s, factors.dynamic), noise=80 * noise, grad=grad)

    assert not decoded(static, grad=False).requires_grad
    (slope,) = torch.autograd.grad(decoded(static, grad=True).sum(), static)
    assert float(slope.abs().max()) > 0
    assert model.invert(x, factors, grad=True).requires_grad
    assert not model.invert(x, factors).requires_grad
    leaf = x.clone().requires_grad_()
    (slope_of_x,) = torch.autograd.grad(model.encode(leaf, grad=True).static.sum(), leaf)
    assert float(slope_of_x.abs().max()) > 0
    direction = torch.ones_like(static)
    moved = [decoded(static.detach() + h * direction, grad=False).double().sum() for h in (-1e-2, 1e-2)]
    assert torch.allclose(
        (moved[1] - moved[0]) / 2e-2, (slope * direction).sum().double(), rtol=0.05, atol=1e-2
    )


def test_what_is_no_factors_is_refused() -> None:
    model = make("model.sampler.steps=4")
    factors = model.encode(batch(2))
    with pytest.raises(InputError, match="factors: a FactorArrays; allowed: Factors, as encode gives them"):
        model.decode(factors.numpy())  # type: ignore[arg-type]
