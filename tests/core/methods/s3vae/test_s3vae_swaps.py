"""What the posterior reads from swaps within a batch, against the posteriors that their factors are from."""

from __future__ import annotations

import torch
from tests.core.methods.s3vae.tiny_s3vae import STEPS, cells, clips, make, rows
from torch.distributions import Normal, kl_divergence

from seqdis.core.methods.s3vae import S3VAE
from seqdis.core.nn.recurrent_gaussian import FactorPosterior
from seqdis.core.sequences import Sequences


def posterior(model: S3VAE, x: torch.Tensor) -> FactorPosterior:
    return model._posterior(model._features(model.to_model_space(Sequences(x))))


def divergence(q: object, p: object) -> torch.Tensor:
    first, second = (Normal(g.mean, g.std) for g in (q, p))  # type: ignore[attr-defined]
    return kl_divergence(first, second).flatten(1).sum(1)


def test_it_is_the_divergence_from_what_is_read_of_each_swap_with_the_next_clip() -> None:
    model, x = make(swap_weight=1.0), clips(3)
    q = posterior(model, x)
    static, dynamic = q.static.mean, q.dynamic.mean
    found = model._swap(q, static, dynamic, None, rows(3))
    for row, other in ((0, 1), (1, 2), (2, 0)):
        swapped = model._frames(static[row : row + 1], dynamic[other : other + 1])
        read = model.posterior(model._features(swapped))
        wanted = divergence(q.static[row : row + 1], read.static) + divergence(
            q.dynamic[other : other + 1], read.dynamic
        )
        torch.testing.assert_close(found[row : row + 1], wanted, rtol=1e-4, atol=1e-4)


def test_the_encoder_is_a_given_function_and_its_posteriors_are_goals() -> None:
    model, x = make(swap_weight=1.0), clips(3)
    with torch.no_grad():
        q = posterior(model, x)
    static, dynamic = (mean.clone().requires_grad_() for mean in (q.static.mean, q.dynamic.mean))
    model._swap(q, static, dynamic, None, rows(3)).sum().backward()
    learns = {name.split(".")[0] for name, p in model.named_parameters() if p.grad is not None}
    assert learns == {"frame_decoder"}
    assert static.grad is not None
    assert bool((static.grad != 0).any())
    assert all(p.requires_grad for p in model.parameters())


def test_steps_that_do_not_exist_count_for_nothing() -> None:
    model, x = make(swap_weight=1.0), clips(2)
    mask = torch.arange(STEPS) < torch.tensor([[STEPS], [3]])
    q = posterior(model, x)
    noisy = torch.where(mask[..., None], q.dynamic.mean, 100.0)
    found, same = (model._swap(q, q.static.mean, d, mask, rows(2))[:1] for d in (q.dynamic.mean, noisy))
    torch.testing.assert_close(
        found, same, rtol=0, atol=0
    )  # the first has the dynamics of the second, of three steps


def test_it_enters_the_loss_by_its_weight() -> None:
    batch = Sequences(clips(3), targets=cells(3))
    plain, swapping = make(), make(swap_weight=2.0)
    one, two = (m.loss(batch, generator=rows(3)) for m in (plain, swapping))
    assert "swap" not in one.terms
    torch.testing.assert_close(two.loss.detach(), one.loss.detach() + 2 * two.terms["swap"])
    assert make().config.swap_weight == 0  # the paper's form
