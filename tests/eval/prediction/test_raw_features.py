"""Raw features against loops over what was measured, and the plain models on them."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.eval.prediction.baselines import classify_plainly, regress_plainly
from seqdis.eval.prediction.raw_features import sequence_statistics, window_values


def gappy() -> ArraySequences:
    g = torch.Generator().manual_seed(0)
    x = torch.randn(5, 8, 3, generator=g)
    observed = torch.rand(x.shape, generator=g) < 0.6
    observed[0, :, 1] = False
    mask = torch.arange(8).expand(5, -1) < torch.tensor([[8], [5], [3], [8], [1]])
    observed[4, 0] = True
    return ArraySequences(x, mask=mask, observed=observed)


def test_statistics_of_what_was_measured() -> None:
    dataset = gappy()
    batch = dataset.fetch(range(5))
    assert batch.mask is not None
    assert batch.observed is not None
    found = sequence_statistics(dataset).reshape(5, 7, 3)
    for n in range(5):
        for c in range(3):
            seen = [float(batch.x[n, t, c]) for t in range(8) if batch.mask[n, t] and batch.observed[n, t, c]]
            if not seen:
                assert found[n, :6, c].isnan().all()
                assert found[n, 6, c] == 0
                continue
            expected = [np.mean(seen), np.std(seen), min(seen), max(seen), seen[0], seen[-1], len(seen) / 8]
            np.testing.assert_allclose(found[n, :, c].numpy(), expected, atol=1e-6)


def test_windows_of_raw_values() -> None:
    dataset = gappy()
    batch = dataset.fetch(range(5))
    found = window_values(dataset, 3)
    assert found.shape == (5, 2, 9)
    assert batch.mask is not None
    assert batch.observed is not None
    seen = (batch.observed & batch.mask[..., None])[:, 3:6].flatten(1)
    torch.testing.assert_close(found[:, 1][seen], batch.x[:, 3:6].flatten(1)[seen])
    assert found[:, 1][~seen].isnan().all()


def test_large_pictures_are_averaged() -> None:
    x = torch.rand(2, 3, 1, 16, 32)
    found = sequence_statistics(ArraySequences(x))
    assert found.shape == (2, 7 * 64)
    torch.testing.assert_close(found[:, 0], x[:, :, 0, :2, :4].mean((1, 2, 3)))
    small = sequence_statistics(ArraySequences(torch.rand(2, 3, 1, 4, 4)))
    assert small.shape == (2, 7 * 16)


@pytest.mark.parametrize("kind", ["logistic_regression", "random_forest"])
def test_classes_that_features_tell(kind: str) -> None:
    y = torch.arange(60) % 3 + 1  # class 0 is absent
    x = torch.stack([y + 0.01 * torch.randn(60), torch.full((60,), math.nan)], dim=1)
    found = classify_plainly(kind, x, y, x, classes=4, seed=0)  # type: ignore[arg-type]
    assert found.shape == (60, 4)
    assert torch.equal(found.argmax(1), y)
    assert (found[:, 0] == 0).all()
    torch.testing.assert_close(found.sum(1), torch.ones(60, dtype=torch.float64))


@pytest.mark.parametrize("kind", ["logistic_regression", "random_forest"])
def test_one_class_is_all_there_is_to_say(kind: str) -> None:
    found = classify_plainly(
        kind, torch.randn(5, 2), torch.ones(5).long(), torch.randn(3, 2), classes=2, seed=0
    )  # type: ignore[arg-type]
    assert found.tolist() == [[0, 1]] * 3


@pytest.mark.parametrize("kind", ["ridge", "random_forest"])
def test_numbers_that_features_tell_and_repetitions_that_add_nothing(kind: str) -> None:
    x = torch.rand(80, 3, generator=torch.Generator().manual_seed(0))
    y = 4 * x[:, 0] - x[:, 1]
    found = regress_plainly(kind, x, y, x, seed=0)  # type: ignore[arg-type]
    assert float((found - y).abs().mean()) < 0.15
    thrice = torch.cat([x[:10]] * 50 + [x]), torch.cat([y[:10]] * 50 + [y])
    torch.testing.assert_close(regress_plainly(kind, *thrice, x, seed=0), found)  # type: ignore[arg-type]
