from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.frechet import frechet_distance, frechet_score


def cloud(count: int, width: int, seed: int) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=g, dtype=torch.float64)
    return torch.randn(count, width, generator=g, dtype=torch.float64) @ mixing + seed


def test_it_is_the_textbooks_formula() -> None:
    a, b = cloud(500, 5, 1), cloud(400, 5, 2)
    ca, cb = np.cov(a.numpy().T), np.cov(b.numpy().T)
    # tr (Σ₁Σ₂)^½ by the eigenvalues of the product itself, which are real and positive.
    cross = np.sqrt(np.linalg.eigvals(ca @ cb).real).sum()
    expected = ((a.mean(0) - b.mean(0)).numpy() ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * cross
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-9)


def test_one_dimension_has_a_closed_form() -> None:
    a, b = cloud(50, 1, 1), cloud(50, 1, 2)
    expected = float((a.mean() - b.mean()) ** 2 + (a.std() - b.std()) ** 2)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_a_set_is_at_no_distance_from_itself_and_a_shift_counts_squared() -> None:
    a = cloud(100, 4, 3)
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-8)
    assert frechet_distance(a, a + 2) == pytest.approx(16, rel=1e-6)


def test_fewer_rows_than_features_are_no_trouble() -> None:
    a, b = cloud(5, 20, 1), cloud(6, 20, 2)
    assert frechet_distance(a, b) > 0
    assert frechet_distance(a, a) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("count", "width"), [(60, 4), (20, 50)])
def test_the_interval_holds_the_distance_and_is_that_of_plain_resampling(count: int, width: int) -> None:
    a, b = cloud(count, width, 1), cloud(count + 10, width, 2)
    metric = frechet_score(a, b, resamples=100, generator=torch.Generator().manual_seed(0))
    assert metric.value == frechet_distance(a, b)
    assert metric.ci95 is not None
    assert metric.ci95[0] < metric.value < metric.ci95[1]
    g = torch.Generator().manual_seed(5)
    drawn = torch.tensor(
        [
            frechet_distance(
                a[torch.randint(len(a), (len(a),), generator=g)],
                b[torch.randint(len(b), (len(b),), generator=g)],
            )
            for _ in range(200)
        ]
    )
    drawn += metric.value - drawn.mean()
    low, high = drawn.quantile(torch.tensor([0.025, 0.975])).tolist()
    assert metric.ci95[1] - metric.ci95[0] == pytest.approx(high - low, rel=0.35)


def test_frames_of_a_clip_are_drawn_together() -> None:
    """Clips of eight equal frames say no more than their first frames do."""
    a, b = cloud(40, 3, 1), cloud(40, 3, 2)
    widths = []
    for rows, repeat in ((1, 1), (8, 8), (1, 8)):
        first, second = a.repeat_interleave(repeat, 0), b.repeat_interleave(repeat, 0)
        low, high = frechet_score(first, second, rows=rows, resamples=200).ci95  # type: ignore[misc]
        widths.append(high - low)
    assert widths[1] == pytest.approx(widths[0], rel=0.3)
    assert widths[2] < 0.6 * widths[0]
    with pytest.raises(InputError, match="clips of 7 rows: 40 and 40 rows"):
        frechet_score(a, b, rows=7)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"N, M ≥ 2; got \(1, 3\) and \(4, 3\)"):
        frechet_distance(torch.zeros(1, 3), torch.zeros(4, 3))
    with pytest.raises(InputError, match=r"got \(4, 3\) and \(4, 2\)"):
        frechet_distance(torch.zeros(4, 3), torch.zeros(4, 2))
    with pytest.raises(InputError, match="NaN"):
        frechet_distance(torch.full((4, 3), float("nan")), torch.zeros(4, 3))
