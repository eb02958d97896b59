from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.quantize import GroupVectorQuantizer
from seqdis.core.random import GeneratorStack, gumbel


def rows(count: int, seed: int = 0) -> GeneratorStack:
    return GeneratorStack.shard(seed, count, slice(0, count))


def vectors(count: int = 4, steps: int = 5, width: int = 12) -> Tensor:
    return torch.randn(count, steps, width, generator=torch.Generator().manual_seed(3))


def make(groups: int = 3, codes: int = 7, dim: int = 4, **options: object) -> GroupVectorQuantizer:
    torch.manual_seed(0)
    return GroupVectorQuantizer(groups=groups, codes=codes, dim=dim, **options)  # type: ignore[arg-type]


def test_gumbel_has_its_mean_and_variance_and_is_finite() -> None:
    g = gumbel((4, 200_000), generator=rows(4))
    assert torch.isfinite(g).all()
    assert g.mean().item() == pytest.approx(0.57722, abs=0.01)
    assert g.var().item() == pytest.approx(math.pi**2 / 6, abs=0.02)


def test_probabilities_are_the_softmax_of_scaled_distances() -> None:
    vq, m = make(distance_scale=2.5).eval(), vectors()
    expected = torch.empty(4, 5, 3, 7, dtype=torch.float64)
    for b in range(4):
        for v in range(5):
            for g in range(3):
                part = m[b, v, 4 * g : 4 * g + 4].double()
                weights = [
                    math.exp(-2.5 * math.dist(part.tolist(), entry.tolist()))
                    for entry in vq.codebook[g].double()
                ]
                expected[b, v, g] = torch.tensor(weights, dtype=torch.float64) / sum(weights)
    out = vq(m)
    torch.testing.assert_close(out.probs.double(), expected, rtol=1e-4, atol=1e-6)
    mean = expected.mean((0, 1))
    entropy = -(mean * mean.log2()).sum(1)
    torch.testing.assert_close(out.entropy_bits.double(), entropy, rtol=1e-4, atol=1e-5)


def test_inference_takes_the_nearest_entry_of_each_group() -> None:
    vq, m = make().eval(), vectors()
    out = vq(m)
    for g in range(3):
        nearest = torch.cdist(m[..., 4 * g : 4 * g + 4].reshape(-1, 4), vq.codebook[g]).argmin(1)
        assert torch.equal(out.codes[..., g].flatten(), nearest)
    assert torch.equal(out.z, vq.decode(out.codes))


def test_one_group_is_plain_vector_quantisation() -> None:
    vq, m = make(groups=1, codes=9, dim=12).eval(), vectors()
    out = vq(m)
    nearest = torch.cdist(m.flatten(0, 1), vq.codebook[0]).argmin(1)
    assert torch.equal(out.z.flatten(0, 1), vq.codebook[0][nearest])


def test_groups_do_not_see_each_other() -> None:
    vq, m = make().eval(), vectors()
    other = m.clone()
    other[..., 8:] += 1
    a, b = vq(m), vq(other)
    assert torch.equal(a.probs[..., :2, :], b.probs[..., :2, :])
    assert not torch.equal(a.probs[..., 2, :], b.probs[..., 2, :])


def test_draws_follow_the_probabilities_at_any_temperature() -> None:
    vq, m = make(groups=1, codes=5, dim=4).train(), vectors(1, 1, 4)
    many = m.expand(1, 40_000, 4)
    for temperature in (0.1, 2.0):
        vq.set_temperature(temperature)
        out = vq(many, generator=rows(1))
        share = torch.bincount(out.codes.flatten(), minlength=5) / 40_000
        torch.testing.assert_close(share, out.probs[0, 0, 0], atol=0.012, rtol=0)


def test_the_relaxed_draw_becomes_the_argmax_as_the_temperature_falls() -> None:
    vq, m = make(relaxed=True, distance_scale=1e3).train(), vectors()
    expected = make(distance_scale=1e3).eval()(m).z
    errors = []
    for temperature in (100.0, 10.0, 0.1):
        vq.set_temperature(temperature)
        errors.append((vq(m, generator=rows(4)).z - expected).abs().max().item())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-4


def test_training_passes_on_entries_of_the_codebook() -> None:
    vq, m = make().train(), vectors()
    out = vq(m, generator=rows(4))
    torch.testing.assert_close(out.z, vq.decode(out.codes), rtol=1e-5, atol=1e-6)


def test_the_gradient_is_that_of_the_mixture() -> None:
    """Straight through: against the mixture's own formula, written out, by autograd."""
    vq, m = make(temperature=0.7).train(), vectors().requires_grad_()
    direction = torch.randn(4, 5, 12, generator=torch.Generator().manual_seed(9))
    got = torch.autograd.grad((vq(m, generator=rows(4)).z * direction).sum(), m)[0]
    noise = gumbel((4, 5, 3, 7), generator=rows(4))
    distance = (m.view(4, 5, 3, 1, 4) - vq.codebook).norm(dim=-1)
    soft = ((-distance + noise) / 0.7).softmax(-1)
    mixture = torch.einsum("bvgj,gjd->bvgd", soft, vq.codebook).flatten(2)
    expected = torch.autograd.grad((mixture * direction).sum(), m)[0]
    torch.testing.assert_close(got, expected, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("relaxed", [False, True])
def test_gradients_reach_encoder_and_codebook(relaxed: bool) -> None:
    vq, m = make(relaxed=relaxed).train(), vectors().requires_grad_()
    vq(m, generator=rows(4)).z.square().sum().backward()
    assert m.grad is not None
    assert vq.codebook.grad is not None
    assert m.grad.flatten(0, 1).norm(dim=1).min() > 0
    assert vq.codebook.grad.flatten(0, 1).norm(dim=1).min() > 0


def test_a_vector_on_an_entry_has_a_finite_gradient() -> None:
    vq = make(groups=1, codes=2, dim=4).train()
    m = vq.codebook.detach()[:, :1].clone().requires_grad_()
    vq(m, generator=rows(1)).probs[..., 0].sum().backward()
    assert m.grad is not None
    assert torch.isfinite(m.grad).all()


@pytest.mark.parametrize("scale", [0.01, 1.0, 100.0])
def test_capacity_is_never_exceeded(scale: float) -> None:
    vq = make(distance_scale=scale).eval()
    out = vq(vectors(64, 20) * 3)
    assert vq.capacity_bits == pytest.approx(3 * math.log2(7))
    assert out.entropy_bits.sum() <= vq.capacity_bits + 1e-4
    assert len(torch.unique(out.codes.flatten(0, 1), dim=0)) <= 7**3


def test_missing_steps_do_not_count() -> None:
    vq, m = make().eval(), vectors()
    mask = torch.ones(4, 5, dtype=torch.bool)
    mask[:, 3:] = False
    other = m.clone()
    other[:, 3:] = 50.0
    assert torch.equal(vq(m, mask=mask).entropy_bits, vq(other, mask=mask).entropy_bits)
    torch.testing.assert_close(vq(m, mask=mask).entropy_bits, vq(m[:, :3]).entropy_bits)


def test_row_0_does_not_depend_on_the_batch() -> None:
    vq, m = make().train(), vectors()

    def each(count: int) -> GeneratorStack:
        return GeneratorStack.each([torch.Generator().manual_seed(s) for s in range(count)])

    assert torch.equal(vq(m, generator=each(4)).codes[:2], vq(m[:2], generator=each(2)).codes)


def test_half_precision_around_it_changes_nothing_inside() -> None:
    vq, m = make().eval(), vectors()
    with torch.autocast("cpu", torch.bfloat16):
        out = vq(m)
    assert torch.equal(out.probs, vq(m).probs)


def test_a_remembered_histogram_is_a_moving_average_with_the_gradient_of_the_batch() -> None:
    vq, plain = make(ema_decay=0.75).train(), make().train()
    average = torch.zeros(3, 7)
    for step in range(700):
        m = vectors(count=2) + 0.003 * step
        m.requires_grad_()
        own = vq(m, generator=rows(2, step))
        batch = own.probs.mean((0, 1))
        share = max(1 / (1 + max(0, step - 500) / 50), 0.25)  # of one batch for long, of four in the end
        average = (1 - share) * average + share * batch.detach()
        if step not in (0, 500, 501, 575, 699):
            continue
        torch.testing.assert_close(own.entropy_bits, -(average * average.log2()).sum(1))
        (gradient,) = torch.autograd.grad(own.entropy_bits.sum(), m)
        again = plain(m, generator=rows(2, step)).probs.mean((0, 1))
        slope = -(average.log2() + 1 / math.log(2))  # of −p̄·log₂ p̄, at the average
        (expected,) = torch.autograd.grad((again * slope).sum(), m)
        torch.testing.assert_close(gradient, expected, rtol=1e-4, atol=1e-6)
    vq.eval()
    alone = make().eval()(vectors()).entropy_bits
    assert torch.equal(vq(vectors()).entropy_bits, alone)  # what is measured remembers nothing
    other = make(ema_decay=0.75)
    other.load_state_dict(vq.state_dict())
    assert torch.equal(other.histogram, vq.histogram)
    assert other.batches == 700


def test_idle_entries_move_onto_vectors_and_others_stay() -> None:
    vq = make(reset_dead_codes=3, distance_scale=50.0).train()
    with torch.no_grad():
        vq.codebook[:, 1:] += 100  # only entry 0 is near
    before, m = vq.codebook.detach().clone(), vectors()
    for step in range(3):
        assert torch.equal(vq.codebook, before)
        assert (vq(m, generator=rows(4, step)).codes == 0).all()
    m = vectors() + 0.1
    vq(m, generator=rows(4, 3))
    assert torch.equal(vq.codebook[:, 0], before[:, 0])
    parts = m.reshape(-1, 3, 4)
    for g in range(3):
        distances = torch.cdist(vq.codebook[g, 1:].detach(), parts[:, g])
        assert distances.amin(1).max() < 1e-3
        assert len(distances.argmin(1).unique()) == 6
    moved = vq.codebook.detach().clone()
    vq.eval()(m)
    assert torch.equal(vq.codebook, moved)
    assert (vq(m).codes.flatten(0, 1).T.unique(dim=1).shape[1]) > 1
    out = vq.train()(m.requires_grad_(), generator=rows(4, 4))  # the move and the gradient do not collide
    out.z.sum().backward()
    assert torch.isfinite(vq.codebook.grad).all()  # type: ignore[arg-type]


def test_the_temperature_is_kept_with_the_weights() -> None:
    vq, other = make(temperature=1.5), make(temperature=1.0)
    vq.set_temperature(0.25)
    other.load_state_dict(vq.state_dict())
    assert other.temperature.item() == 0.25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: make(groups=0), "groups, codes and dim of at least 1"),
        (lambda: make(distance_scale=0.0), "distance scale above 0"),
        (lambda: make(reset_dead_codes=-1), r"reset_dead_codes -1; allowed: 0 \(never\) or more batches"),
        (lambda: make(ema_decay=1.0), r"histogram has ema_decay 1\.0; allowed: from 0 to below 1"),
        (lambda: make(temperature=0.0), r"temperature 0\.0: allowed are numbers above 0"),
        (lambda: make()(vectors(width=11), generator=rows(4)), r"\(4, 5, 11\); allowed: \(B, V, 12\)"),
        (lambda: make().train()(vectors()), "draws codes and needs generator="),
        (lambda: make().decode(torch.full((1, 1, 3), 7)), "codes from 7 to 7; allowed: 0 to 6"),
        (lambda: make().decode(torch.zeros(1, 1, 2).long()), r"allowed: integers \(B, V, 3\)"),
    ],
)
def test_bad_input_is_named(call: object, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()  # type: ignore[operator]
