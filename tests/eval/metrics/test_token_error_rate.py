from __future__ import annotations

from functools import cache

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.token_error_rate import token_error_rate


def by_recursion(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    @cache
    def distance(i: int, j: int) -> int:
        if i == 0 or j == 0:
            return i + j
        same = distance(i - 1, j - 1) + (a[i - 1] != b[j - 1])
        return min(same, distance(i - 1, j) + 1, distance(i, j - 1) + 1)

    return distance(len(a), len(b))


@pytest.mark.parametrize("seed", range(20))
def test_the_errors_of_one_utterance_are_those_of_the_recursion(seed: int) -> None:
    g = torch.Generator().manual_seed(seed)
    truth, guess = (
        tuple(torch.randint(3, (int(torch.randint(low, 9, (), generator=g)),), generator=g).tolist())
        for low in (1, 0)
    )
    assert token_error_rate([truth], [guess]).value * len(truth) == pytest.approx(by_recursion(truth, guess))


def test_known_distances() -> None:
    truth, guess = ([ord(letter) for letter in word] for word in ("kitten", "sitting"))
    assert token_error_rate([truth], [guess]).value == pytest.approx(3 / 6)
    assert token_error_rate([[300, 70_000]], [[70_000]]).value == pytest.approx(1 / 2)


def test_the_rate_counts_tokens_not_utterances() -> None:
    metric = token_error_rate([[1, 2, 3, 4], [5]], [[1, 2, 3], [5]], constant=[5])
    assert metric.value == pytest.approx(1 / 5)
    assert metric.chance == pytest.approx(4 / 5)
    assert metric.n == 2
    assert not metric.higher_is_better
    assert metric.ci95 is not None
    assert metric.ci95[0] <= metric.value <= metric.ci95[1]
    assert token_error_rate([[1]], [[2, 2, 2]]).value == 3
    assert token_error_rate([[1], [1]], [[], []]).value == token_error_rate([[1], [1]], [[], []]).chance == 1


@pytest.mark.parametrize(("truth", "guess"), [([], []), ([[1], []], [[1], [1]]), ([[1]], [])])
def test_what_cannot_be_counted_is_refused(truth: list[list[int]], guess: list[list[int]]) -> None:
    with pytest.raises(InputError, match="as many guesses as truths, none of them empty"):
        token_error_rate(truth, guess)
