"""Pooling over time, against means of repeated steps and numpy's own."""

from __future__ import annotations

import numpy as np
import pytest

from seqdis.core.errors import InputError
from seqdis.timeseries.pooling import POOLINGS, pool_steps, pooled_parts, segment_weights


def ragged(lengths: list[int], width: int = 3, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Values with NaN in their padding, which would show in every sum that takes it in, and their mask."""
    mask = np.arange(max(lengths)) < np.array(lengths)[:, None]
    values = np.random.default_rng(seed).normal(size=(*mask.shape, width)).astype(np.float32)
    return np.where(mask[..., None], values, np.nan), mask


@pytest.mark.parametrize(("steps", "segments"), [(12, 4), (10, 4), (7, 7), (3, 8), (1, 5), (9, 1)])
def test_a_segment_is_the_mean_of_its_share_of_the_time(steps: int, segments: int) -> None:
    series = np.random.default_rng(1).normal(size=steps)
    # Each step stands for `segments` equal moments, of which each segment has `steps`.
    moments = np.repeat(series, segments).reshape(segments, steps)
    np.testing.assert_allclose(segment_weights(steps, segments) @ series, moments.mean(1), atol=1e-12)


def test_padding_has_no_part_in_any_pooling() -> None:
    values, mask = ragged([9, 4, 1, 9])
    for pooling in sorted(set(POOLINGS) - {"flatten"}):
        pooled = pool_steps(values, mask, pooling=pooling, segments=4)
        assert pooled.dtype == np.float32
        assert pooled.shape == (4, len(pooled_parts(pooling, steps=9, segments=4)), 3)
        for row, length in enumerate(mask.sum(1)):
            alone = pool_steps(values[row : row + 1, :length], None, pooling=pooling, segments=4)
            np.testing.assert_array_equal(pooled[row], alone[0])


def test_mean_standard_deviation_and_last_step() -> None:
    values, mask = ragged([6, 2])
    kept = [values[0], values[1, :2]]
    expected = np.stack([np.stack([v.mean(0), v.std(0)]) for v in kept])
    np.testing.assert_allclose(pool_steps(values, mask, pooling="mean_std"), expected, rtol=1e-5, atol=1e-6)
    last = np.stack([v[-1:] for v in kept])
    np.testing.assert_array_equal(pool_steps(values, mask, pooling="last"), last)


def test_every_step_takes_one_length() -> None:
    values, mask = ragged([6, 6])
    np.testing.assert_array_equal(pool_steps(values, mask, pooling="flatten"), values)
    np.testing.assert_array_equal(pool_steps(values, None, pooling="flatten"), values)
    values, mask = ragged([6, 2])
    with pytest.raises(InputError, match=r"of 2 to 6 steps; pooling='flatten' takes .* pooling='segments'"):
        pool_steps(values, mask, pooling="flatten")
