"""The autoregressive prior on codes whose distribution is known: a Markov chain that the content chooses."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from tests.core.priors.chains import (
    BOOK,
    CHAINS,
    CODES,
    STEPS,
    chains,
    coded,
    drawn_codes,
    look_up,
    seed,
    small,
)
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.priors import autoregressive
from seqdis.core.priors.autoregressive import AutoregressivePrior
from seqdis.core.priors.code_sequences import context_start
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import list_plugins


def waken(prior: AutoregressivePrior) -> AutoregressivePrior:
    """GPT-2 starts with nearly equal probabilities: move it away, as training does."""
    torch.manual_seed(1)
    for name, parameter in prior.network.named_parameters():
        if parameter.ndim > 1:
            nn.init.normal_(parameter, std=0.8 if name == "heads.weight" else 0.3)
    return prior.eval()


@pytest.fixture(scope="module")
def fitted() -> AutoregressivePrior:
    known = chains(4096, 0)
    prior = small(known)
    losses = prior.fit(known)
    assert losses[-1] < losses[0]
    return prior


@pytest.fixture
def awake() -> AutoregressivePrior:
    known = chains(16, 0)
    prior = waken(small(known))
    prior.contents = known.static
    return prior


def transitions(codes: Tensor) -> Tensor:
    """Shares of the next code after each, ``(J, J)``, of sequences ``(B, T)``."""
    counts = torch.zeros(CODES, CODES)
    counts.index_put_((codes[:, :-1].flatten(), codes[:, 1:].flatten()), torch.ones(()), accumulate=True)
    return counts / counts.sum(1, keepdim=True)


@pytest.mark.parametrize("content", [0, 1])
def test_draws_follow_the_chain_of_their_content(fitted: AutoregressivePrior, content: int) -> None:
    given = chains(2, 1)[[0] * 3000]
    given = Factors(torch.full((3000, 1), 2.0 * content - 1), given.dynamic)
    codes = drawn_codes(fitted.sample_dynamic(given, generator=seed(2)))
    assert codes.shape == (3000, STEPS, 2)
    torch.testing.assert_close(transitions(codes[..., 0]), CHAINS[content], rtol=0, atol=0.06)
    stay = 0.75 * torch.eye(CODES) + 0.25 * torch.eye(CODES).roll(1, dims=1)
    torch.testing.assert_close(transitions(codes[..., 1]), stay, rtol=0, atol=0.06)
    begin = torch.bincount(codes[:, 0, 0], minlength=CODES) / 3000
    torch.testing.assert_close(begin, torch.full((CODES,), 1 / CODES), rtol=0, atol=0.06)


def test_a_sequence_may_be_longer_than_those_of_training(fitted: AutoregressivePrior) -> None:
    given = Factors(torch.ones(800, 1), torch.zeros(800, 1, 4))
    codes = drawn_codes(fitted.sample_dynamic(given, generator=seed(3), steps=5 * STEPS))
    late = codes[:, 2 * STEPS :]
    torch.testing.assert_close(transitions(late[..., 0]), CHAINS[1], rtol=0, atol=0.06)


def test_unconditional_draws_have_both_contents_and_what_goes_with_them(fitted: AutoregressivePrior) -> None:
    drawn = fitted.sample(2000, generator=seed(4))
    assert drawn.static.unique().tolist() == [-1, 1]
    assert drawn.static.mean().item() == pytest.approx(0, abs=0.1)
    for content, sign in enumerate((-1, 1)):
        codes = drawn_codes(drawn[drawn.static[:, 0] == sign])
        torch.testing.assert_close(transitions(codes[..., 0]), CHAINS[content], rtol=0, atol=0.06)
    assert torch.equal(drawn.dynamic, look_up(drawn_codes(drawn)))
    assert drawn.extras["codes"].side == "dynamic"


def test_independent_motion_is_that_of_any_content(fitted: AutoregressivePrior) -> None:
    given = Factors(torch.ones(3000, 1), torch.zeros(3000, STEPS, 4))
    drawn = fitted.sample_dynamic(given, generator=seed(5), independent=True)
    assert torch.equal(drawn.static, given.static)
    codes = drawn_codes(drawn)
    # Half of the sequences follow each chain; after a first code, which is of either alike, both count the same.
    torch.testing.assert_close(transitions(codes[:, :2, 0]), CHAINS.mean(0), rtol=0, atol=0.06)


def test_the_likelihood_is_that_of_the_chain(fitted: AutoregressivePrior) -> None:
    held_out = chains(512, 9)
    codes, which = drawn_codes(held_out), (held_out.static[:, 0] > 0).long()
    first = CHAINS[which[:, None], codes[:, :-1, 0], codes[:, 1:, 0]].log().sum(1)
    stays = codes[:, 1:, 1] == codes[:, :-1, 1]
    truth = first + torch.where(stays, math.log(0.75), math.log(0.25)).sum(1) + 2 * math.log(1 / CODES)
    came = fitted.log_likelihood(held_out)
    assert came.mean().item() == pytest.approx(truth.mean().item(), abs=0.15)  # of −8.5 nats
    assert (came - truth).abs().mean() < 0.4


def test_a_content_follows_given_motion_by_bayes_rule(fitted: AutoregressivePrior) -> None:
    # 0 → 0 → 1 → 1 → 1 → 2: one factor of each chain a transition.
    path = torch.tensor([0, 0, 1, 1, 1, 2])
    codes = torch.stack([path, torch.zeros_like(path)], dim=1).expand(2000, -1, -1)
    odds = [float(CHAINS[c, path[:-1], path[1:]].prod()) for c in (0, 1)]
    given = coded(torch.zeros(2000, 1), codes)
    drawn = fitted.sample_static(given, generator=seed(6))
    assert (drawn.static > 0).float().mean().item() == pytest.approx(odds[1] / sum(odds), abs=0.05)
    assert torch.equal(drawn.dynamic, given.dynamic)
    assert torch.equal(drawn_codes(drawn), codes)
    free = fitted.sample_static(given, generator=seed(6), independent=True)
    assert (free.static > 0).float().mean().item() == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("steps", [1, STEPS, 3 * STEPS + 1])
def test_the_cache_does_not_change_what_is_drawn(awake: AutoregressivePrior, steps: int) -> None:
    with_cache = drawn_codes(awake.sample(8, generator=seed(7), steps=steps))
    awake.use({"kv_cache": False})
    assert torch.equal(drawn_codes(awake.sample(8, generator=seed(7), steps=steps)), with_cache)
    assert len(with_cache.unique()) > 1


@pytest.mark.parametrize("length", [1, 2, 5, 6])
def test_contexts_fit_and_are_at_least_half_full(length: int) -> None:
    starts = [context_start(step, length) for step in range(40)]
    assert starts[:length] == [0] * length
    for step, start in enumerate(starts):
        assert 0 <= step - start <= length - 1
        assert step - start >= length // 2 or start == 0


def test_a_long_likelihood_is_the_sum_over_steps_each_in_its_context(awake: AutoregressivePrior) -> None:
    steps = 3 * STEPS + 2
    known = chains(5, 3, steps=steps)
    codes = drawn_codes(known)
    total = torch.zeros(5)
    for step in range(steps):
        context = codes[:, context_start(step, STEPS) : step]
        logits = awake.network(known.static, context)[:, -1]
        for group in range(2):
            total += logits[:, group].log_softmax(-1)[range(5), codes[:, step, group]].detach()
    torch.testing.assert_close(awake.log_likelihood(known), total)


def test_row_0_does_not_depend_on_the_count_nor_a_beginning_on_the_length(
    awake: AutoregressivePrior, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = awake.sample(7, generator=seed(5), steps=10)
    one = awake.sample(1, generator=seed(5), steps=4)
    assert torch.equal(drawn_codes(many)[:1, :4], drawn_codes(one))
    assert torch.equal(many.static[:1], one.static)
    monkeypatch.setattr(autoregressive, "_AT_ONCE", 3)
    assert torch.equal(drawn_codes(awake.sample(7, generator=seed(5), steps=10)), drawn_codes(many))


def test_progress_is_told_to_its_end(awake: AutoregressivePrior, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(autoregressive, "_AT_ONCE", 3)
    told: list[tuple[int, int]] = []
    awake.sample(7, generator=seed(5), steps=10, progress=lambda *now: told.append(now))
    assert told == [(i, 30) for i in range(1, 31)]


def test_what_comes_later_changes_nothing_and_the_content_does(awake: AutoregressivePrior) -> None:
    codes = drawn_codes(chains(4, 0))
    other = codes.clone()
    other[:, 3] = (other[:, 3] + 1) % CODES
    static = torch.ones(4, 1)
    codes, other = codes[:, :-1], other[:, :-1]  # with the content as many as there are positions
    one, two = awake.network(static, codes), awake.network(static, other)
    assert torch.equal(one[:, :4], two[:, :4])  # after the content and three steps
    assert not torch.allclose(one[:, 4], two[:, 4])
    assert not torch.allclose(one[:, 0], awake.network(-static, codes)[:, 0])


class Fixed(nn.Module):
    """A network that always says the same: step τ gives code j of group i logits ``1/(1 + τ + i)·j``."""

    def __init__(self) -> None:
        super().__init__()
        self.codebook = BOOK

    def forward(self, static: Tensor, codes: Tensor) -> Tensor:
        tau, group = torch.arange(codes.shape[1] + 1.0), torch.arange(2.0)
        scale = 1 / (1 + tau[:, None] + group)
        return (scale[..., None] * torch.arange(CODES)).expand(len(codes), -1, -1, -1)


def cross_entropy(codes: list[list[int]]) -> float:
    """Of one sequence ``codes[τ][i]`` under :class:`Fixed`: its mean over steps and groups."""
    total = 0.0
    for tau, step in enumerate(codes):
        for group, code in enumerate(step):
            scale = 1 / (1 + tau + group)
            total += math.log(sum(math.exp(scale * j) for j in range(CODES))) - scale * code
    return total / (2 * len(codes))


def test_the_loss_is_the_cross_entropy_written_out() -> None:
    known = chains(8, 0)
    codes = drawn_codes(known)
    prior = small(known)
    prior.network = Fixed()  # type: ignore[assignment]
    came = prior.loss(known.static, codes, generator=GeneratorStack.shard(0, 8, slice(0, 8)))
    assert came.item() == pytest.approx(sum(cross_entropy(c) for c in codes.tolist()) / 8, rel=1e-5)


def test_thinned_sequences_are_every_second_step() -> None:
    known = chains(64, 0, steps=5)
    codes = drawn_codes(known).tolist()
    for share in (1.0, 0.5):
        prior = small(known, subsampling=share)
        prior.network = Fixed()  # type: ignore[assignment]
        found = [0, 0, 0]
        for row in range(64):
            rows = GeneratorStack.each([seed(row)])
            came = prior.loss(known.static[:1], torch.tensor(codes[row])[None], generator=rows).item()
            ways = [cross_entropy(c) for c in (codes[row], codes[row][::2], codes[row][1::2])]
            match = [i for i, value in enumerate(ways) if came == pytest.approx(value, rel=1e-5)]
            found[match[0]] += 1
        if share == 1:
            assert found[0] == 0
        assert found[0] == pytest.approx(64 * (1 - share), abs=16)
        assert min(found[1:]) >= 64 * share / 2 - 16


def test_the_loss_is_a_mean_over_sequences() -> None:
    known = chains(8, 0)
    prior = waken(small(known, subsampling=0.5))
    static, codes = known.static, drawn_codes(known)
    whole = prior.loss(static, codes, generator=GeneratorStack.shard(3, 8, slice(0, 8)))
    halves = [
        prior.loss(static[part], codes[part], generator=GeneratorStack.shard(3, 8, part))
        for part in (slice(0, 4), slice(4, 8))
    ]
    torch.testing.assert_close(whole, torch.stack(halves).mean())


def test_every_code_can_be_drawn_even_if_none_was_seen() -> None:
    codes = torch.randint(2, (64, STEPS, 2), generator=seed(0))  # never 2
    known = coded(torch.randn(64, 1, generator=seed(1)), codes)
    prior = small(known, epochs=2)
    prior.fit(known)
    prior.use({"temperature": 50})
    drawn = prior.sample(64, generator=seed(2))
    assert drawn_codes(drawn).unique().tolist() == [0, 1, 2]
    assert torch.equal(drawn.dynamic, look_up(drawn_codes(drawn)))


def test_settings_of_the_draws_may_change(awake: AutoregressivePrior) -> None:
    free = awake.sample(16, generator=seed(0))
    awake.use({"top_k": 1})
    assert awake.config.top_k == 1
    greedy = drawn_codes(awake.sample_dynamic(free, generator=seed(0)))
    assert torch.equal(greedy, drawn_codes(awake.sample_dynamic(free, generator=seed(1))))
    logits = awake.network(free.static, greedy[:, :-1])
    assert torch.equal(greedy, logits.argmax(-1))
    with pytest.raises(InputError, match="prior: 'width' cannot change after fitting; allowed: temperature"):
        awake.use({"width": 64})
    with pytest.raises(InputError, match="prior: key 'temperature' is 0"):
        awake.use({"temperature": 0})


def test_fitting_is_reproducible_and_leaves_the_global_stream_alone() -> None:
    known = chains(64, 0)

    def weights() -> Tensor:
        prior = small(known, epochs=2, dropout=0.2, subsampling=0.5)
        prior.fit(known)
        return torch.cat([p.detach().flatten() for p in prior.parameters()])

    torch.manual_seed(5)
    first = weights()
    after = torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(torch.rand(1), after)
    assert torch.equal(weights(), first)


def test_the_kept_contents_are_some_of_the_training_sequences() -> None:
    codes = torch.randint(2, (50, STEPS, 2), generator=seed(0))
    known = coded(torch.arange(50.0)[:, None], codes)
    prior = small(known, epochs=1, contents=20)
    prior.fit(known)
    assert len(prior.contents.unique()) == 20
    assert set(prior.contents.flatten().tolist()) <= set(range(50))
    assert set(prior.sample(64, generator=seed(0)).static.flatten().tolist()) <= set(
        prior.contents.flatten().tolist()
    )


def test_inputs_are_standardised_by_what_was_seen() -> None:
    known = chains(200, 0)
    static = known.static * 3 + 7
    network = small(known).network
    network.standardise(static, drawn_codes(known))
    torch.testing.assert_close(network.content_mean, static.mean(0))
    torch.testing.assert_close(network.motion_mean, known.dynamic.flatten(0, 1).mean(0))
    torch.testing.assert_close(network.motion_std, known.dynamic.flatten(0, 1).std(0, correction=0))
    network.standardise(torch.ones(200, 1), torch.zeros(200, STEPS, 2, dtype=torch.long))
    assert network.content_std.tolist() == [1]
    assert network.motion_std.tolist() == [1] * 4


def test_save_then_load_is_bit_equal(fitted: AutoregressivePrior, tmp_path: Path) -> None:
    assert "autoregressive" in list_plugins("priors")
    fitted.save(tmp_path / "prior", about={"model_sha256": "abc"})
    loaded = AutoregressivePrior.load(tmp_path / "prior")
    assert loaded.config == fitted.config
    assert all(
        torch.equal(a, b)
        for a, b in zip(loaded.state_dict().values(), fitted.state_dict().values(), strict=True)
    )
    one, two = (p.sample(5, generator=seed(0), steps=9) for p in (loaded, fitted))
    assert torch.equal(one.flatten(), two.flatten())
