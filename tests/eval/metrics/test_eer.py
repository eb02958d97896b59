from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_curve

from seqdis.core.errors import InputError
from seqdis.eval.metrics.eer import equal_error_rate, speaker_eer


def by_roc(target: np.ndarray, other: np.ndarray) -> float:
    """Interpolated where FPR = FNR on scikit-learn's curve with every threshold kept."""
    truth = np.r_[np.ones(len(target)), np.zeros(len(other))]
    fpr, tpr, _ = roc_curve(truth, np.r_[target, other], drop_intermediate=False)
    gap = (1 - tpr) - fpr  # falls along the curve
    i = int(np.flatnonzero(gap <= 0)[0])
    share = gap[i - 1] / (gap[i - 1] - gap[i])
    return float(fpr[i - 1] + share * (fpr[i] - fpr[i - 1]))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("digits", [1, 6])  # one digit gives many equal scores
def test_it_is_where_scikit_learns_curve_crosses(seed: int, digits: int) -> None:
    rng = np.random.default_rng(seed)
    target = rng.normal(0.7, 1, 57).round(digits).astype(np.float32)
    other = rng.normal(0, 1, 311).round(digits).astype(np.float32)
    assert equal_error_rate(target, other) == pytest.approx(by_roc(target, other), abs=1e-9)


def test_known_answers() -> None:
    def eer(target: list[float], other: list[float]) -> float:
        return equal_error_rate(np.array(target, np.float32), np.array(other, np.float32))

    assert eer([2, 3], [0, 1]) == 0
    assert eer([0, 1], [2, 3]) == 1
    assert eer([1, 1], [1, 1, 1]) == pytest.approx(0.5)  # a tie
    assert eer([1, 3], [0, 2]) == pytest.approx(0.5)
    assert eer([1, 2, 3, 4], [0, 0.5, 1.5, 0.2]) == pytest.approx(0.25)


def test_all_pairs_count_once() -> None:
    g = torch.Generator().manual_seed(0)
    embeddings, speakers = torch.randn(700, 5, generator=g), torch.randint(9, (700,), generator=g)
    embeddings += 0.8 * torch.eye(9)[speakers] @ torch.randn(9, 5, generator=g)
    unit = torch.nn.functional.normalize(embeddings, dim=1).numpy()
    pairs = list(itertools.combinations(range(700), 2))
    scores = np.array([unit[i] @ unit[j] for i, j in pairs], np.float32)
    same = np.array([bool(speakers[i] == speakers[j]) for i, j in pairs])
    metric = speaker_eer(embeddings, speakers)
    assert metric.value == pytest.approx(by_roc(scores[same], scores[~same]), abs=1e-5)
    assert (metric.chance, metric.n, metric.ci95) == (0.5, 700, None)


def test_the_interval_is_over_speakers() -> None:
    g = torch.Generator().manual_seed(0)
    speakers = torch.arange(40).repeat_interleave(4)
    embeddings = torch.randn(40, 6, generator=g)[speakers] + 1.2 * torch.randn(160, 6, generator=g)
    one, two = (
        speaker_eer(embeddings, speakers, resamples=100, generator=torch.Generator().manual_seed(0))
        for _ in range(2)
    )
    assert one == two
    assert one.ci95 is not None
    low, high = one.ci95
    assert low < one.value < high
    assert 0.01 < high - low < 0.2
    # Four copies of every utterance are no new speakers: the interval must not become narrower by half.
    copies = speaker_eer(embeddings.repeat(2, 1), speakers.repeat(2), resamples=100)
    assert copies.ci95 is not None
    assert copies.ci95[1] - copies.ci95[0] > 0.7 * (high - low)


def test_leaked_and_absent_identity() -> None:
    g = torch.Generator().manual_seed(0)
    speakers = torch.arange(20).repeat_interleave(10)
    assert speaker_eer(torch.eye(20)[speakers] + 0.01, speakers).value == 0
    noise = speaker_eer(torch.randn(200, 8, generator=g), speakers).value
    assert noise == pytest.approx(0.5, abs=0.05)


def test_bad_input_is_refused() -> None:
    with pytest.raises(InputError, match=r"\(3, 2\) and \(4,\)"):
        speaker_eer(torch.ones(3, 2), torch.zeros(4))
    with pytest.raises(InputError, match="NaN"):
        speaker_eer(torch.full((3, 2), float("nan")), torch.zeros(3))
    with pytest.raises(InputError, match="embedding 1 is 0"):
        speaker_eer(torch.tensor([[1.0], [0.0], [1.0]]), torch.tensor([0, 0, 1]))
    with pytest.raises(InputError, match="other scores"):
        speaker_eer(torch.ones(3, 2), torch.zeros(3))
    with pytest.raises(InputError, match="target scores"):
        speaker_eer(torch.ones(3, 2), torch.arange(3))
