"""The recogniser reads what is there, and nothing where nothing is."""

from __future__ import annotations

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.metrics.token_error_rate import token_error_rate
from seqdis.eval.speech.content_head import ContentHead, HeadBudget, train_head

TOKENS = 5


def world(count: int, seed: int, *, noise: bool) -> tuple[list[torch.Tensor], list[list[int]]]:
    """Each token is eight steps of its own channel; or features that have nothing to do with the tokens."""
    g = torch.Generator().manual_seed(seed)
    features, tokens = [], []
    for _ in range(count):
        said = torch.randint(TOKENS, (int(torch.randint(2, 6, (), generator=g)),), generator=g)
        clean = torch.eye(TOKENS)[said].repeat_interleave(8, dim=0)
        other = torch.randn(clean.shape, generator=g)
        features.append(other if noise else clean + 0.1 * other)
        tokens.append(said.tolist())
    return features, tokens


@pytest.mark.parametrize("noise", [False, True])
def test_separable_features_are_read_and_noise_is_not(noise: bool) -> None:
    budget = HeadBudget(steps=150, batch_size=32, lr=1e-2, check_every=50)
    head = train_head(*world(200, 0, noise=noise), vocabulary=TOKENS, budget=budget)
    features, truth = world(60, 1, noise=noise)
    rate = token_error_rate(truth, head.read(features)).value
    assert rate < 0.05 if not noise else rate == pytest.approx(1.0, abs=0.25)


def test_the_same_seed_gives_the_same_head_and_company_does_not_matter() -> None:
    features, tokens = world(40, 0, noise=False)
    budget = HeadBudget(steps=6, batch_size=16, check_every=3)
    first, again = (train_head(features, tokens, vocabulary=TOKENS, seed=2, budget=budget) for _ in range(2))
    for a, b in zip(first.state_dict().values(), again.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    scores, lengths = first(features[:7])
    alone, steps = first(features[3:4])
    assert lengths[3] == steps[0]
    torch.testing.assert_close(scores[: int(steps[0]), 3], alone[:, 0], atol=1e-5, rtol=1e-5)


def test_a_path_is_read_without_repetitions_and_blanks() -> None:
    head = ContentHead(mean=torch.zeros(3), deviation=torch.ones(3), tokens=2)
    path = torch.tensor([2, 0, 0, 2, 0, 1, 1, 2])
    scores = torch.nn.functional.one_hot(path, 3).float()[:, None]
    head.forward = lambda features: (scores, torch.tensor([8]))  # type: ignore[method-assign, assignment]
    assert head.read([torch.zeros(32, 3)]) == [[0, 0, 1]]


def test_a_feature_that_never_changes_does_no_harm() -> None:
    features, tokens = world(20, 0, noise=False)
    still = [torch.cat([one, torch.ones(len(one), 1)], dim=1) for one in features]
    head = train_head(still, tokens, vocabulary=TOKENS, budget=HeadBudget(steps=2, check_every=1))
    assert bool(torch.isfinite(head(still)[0]).all())


def test_too_few_utterances_are_refused() -> None:
    features, tokens = world(9, 0, noise=False)
    with pytest.raises(InputError, match="at least 10 utterances with their tokens; got 9 and 9"):
        train_head(features, tokens, vocabulary=TOKENS)
