from __future__ import annotations

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.eval.engine.reconstruction_error import (
    clip_errors,
    mean_frame,
    measure_reconstruction,
    reconstruction_mse,
)


def holes(shape: tuple[int, ...], seed: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    g = torch.Generator().manual_seed(seed)
    x = torch.randn(shape, generator=g)
    observed = torch.rand(shape, generator=g) < 0.7
    mask = torch.arange(shape[1]) < torch.randint(1, shape[1] + 1, (shape[0], 1), generator=g)
    return x, observed, mask


def test_errors_count_measured_entries_of_existing_steps_alone() -> None:
    x, observed, mask = holes((6, 4, 3), 0)
    guess = torch.randn(6, 4, 3)
    errors = clip_errors(Sequences(x, mask=mask, observed=observed), guess)
    for i in range(6):
        entries = [
            (x[i, v, f] - guess[i, v, f]).item() ** 2
            for v in range(4)
            for f in range(3)
            if mask[i, v] and observed[i, v, f]
        ]
        assert errors[i].item() == pytest.approx(
            sum(entries) / len(entries) if entries else float("nan"), nan_ok=True
        )


def test_the_mean_frame_is_the_mean_of_what_was_measured() -> None:
    x, observed, mask = holes((9, 4, 3), 1)
    frame = mean_frame(ArraySequences(x, mask=mask, observed=observed), batch_size=2)
    seen = observed & mask[..., None]
    for f in range(3):
        assert frame[f].item() == pytest.approx(x[..., f][seen[..., f]].double().mean().item())


def test_against_brute_force(world, channels) -> None:
    train, test = world(30, 0, noise=0.3), world(20, 1, noise=0.3)
    metric = reconstruction_mse(channels("constant"), train, test, batch_size=7)
    x = test.fetch(range(20)).x
    assert metric.value == pytest.approx((x - 1).square().mean().item(), rel=1e-6)
    guess = train.fetch(range(30)).x.mean((0, 1))
    assert metric.chance == pytest.approx((x - guess).square().mean().item(), rel=1e-6)
    assert metric.ci95 is not None
    assert metric.ci95[0] < metric.value < metric.ci95[1]
    assert not metric.higher_is_better
    assert metric.n == 20


def test_some_clips_only(world, channels) -> None:
    test = world(20, 1)
    metric = reconstruction_mse(channels("constant"), test, test, indices=[3, 11])
    assert metric.value == pytest.approx((test.fetch([3, 11]).x - 1).square().mean().item(), rel=1e-6)
    assert metric.n == 2


def test_nothing_measured_is_refused(channels) -> None:
    x = torch.zeros(2, 5, 4)
    blind = ArraySequences(x, observed=torch.zeros(2, 5, 4, dtype=torch.bool))
    with pytest.raises(InputError, match="none of 2 test clips has a measured entry"):
        reconstruction_mse(channels(), blind, blind)


def test_as_a_metric_of_reconstruction(world, channels) -> None:
    train, test = world(30, 0), world(20, 1)
    metric = measure_reconstruction(channels("constant"), train, test)["reconstruction_mse"]
    assert metric.role == "reconstruction"
    assert metric.value == reconstruction_mse(channels("constant"), train, test).value


def test_a_method_that_inverts_has_two_errors(world, channels) -> None:
    class Inverting(channels):  # type: ignore[misc, valid-type]
        def invert(self, sequences, factors, *, progress=None, grad=False):
            return torch.zeros(len(sequences), 1)

        def decode(self, factors, *, noise=None, generator=None, progress=None):
            # The inverted noise leads back, whatever the factors say; a draw shows the factors alone.
            return super().decode(factors, generator=generator) + (0.0 if noise is not None else 0.5)

    train, test = world(30, 0, noise=0.3), world(20, 1, noise=0.3)
    model = Inverting("constant")
    seen = []
    metrics = measure_reconstruction(
        model, train, test, indices=[3, 11], progress=lambda done, total: seen.append(done / total)
    )
    assert list(metrics) == ["reconstruction_mse", "decoding_mse"]
    x = test.fetch([3, 11]).x
    assert metrics["reconstruction_mse"].value == pytest.approx((x - 1).square().mean().item(), rel=1e-6)
    assert metrics["decoding_mse"].value == pytest.approx((x - 1.5).square().mean().item(), rel=1e-6)
    assert metrics["reconstruction_mse"].chance == metrics["decoding_mse"].chance
    assert seen == sorted(seen)
    assert seen[-1] == 1
