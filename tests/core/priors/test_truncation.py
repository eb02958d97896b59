from __future__ import annotations

import math

import pytest
import torch

from seqdis.core.priors.truncation import truncated_probabilities


def by_hand(logits: list[float], temperature: float, top_k: int | None, top_p: float | None) -> list[float]:
    weights = [math.exp(value / temperature) for value in logits]
    ranked = sorted(range(len(weights)), key=lambda j: (-weights[j], j))[:top_k]
    total = sum(weights[j] for j in ranked)
    kept, mass = [], 0.0
    for j in ranked:
        if top_p is not None and mass >= top_p:
            break
        kept.append(j)
        mass += weights[j] / total
    rest = sum(weights[j] for j in kept)
    return [weights[j] / rest if j in kept else 0.0 for j in range(len(weights))]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("top_k", [None, 1, 3, 50])
@pytest.mark.parametrize("top_p", [None, 0.05, 0.7, 0.95])
def test_against_a_loop_over_the_entries(temperature: float, top_k: int | None, top_p: float | None) -> None:
    logits = 2 * torch.randn(4, 5, 8, generator=torch.Generator().manual_seed(0))
    p = truncated_probabilities(logits, temperature=temperature, top_k=top_k, top_p=top_p)
    for row, came in zip(logits.view(-1, 8).tolist(), p.view(-1, 8).tolist(), strict=True):
        assert came == pytest.approx(by_hand(row, temperature, top_k, top_p), abs=1e-5)


def test_without_options_it_is_the_softmax() -> None:
    logits = torch.randn(3, 6, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(truncated_probabilities(logits), logits.softmax(-1))
    torch.testing.assert_close(truncated_probabilities(logits, top_p=1.0), logits.softmax(-1))


def test_one_of_equals_is_kept() -> None:
    assert truncated_probabilities(torch.zeros(4), top_k=1).tolist() == [1, 0, 0, 0]
    assert truncated_probabilities(torch.zeros(4), top_p=1e-6).tolist() == [1, 0, 0, 0]


def test_a_low_temperature_is_the_likeliest_entry() -> None:
    logits = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    p = truncated_probabilities(logits, temperature=1e-6)
    torch.testing.assert_close(p, torch.nn.functional.one_hot(logits.argmax(-1), 7).float())
