"""A small recogniser that reads tokens from a sequence of features: connectionist temporal classification."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from rapidfuzz.distance import Levenshtein
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

from seqdis.core.analysis import evaluating
from seqdis.core.errors import InputError
from seqdis.core.progress import Progress
from seqdis.core.random import mix_seed

__all__ = ["ContentHead", "HeadBudget", "train_head"]

Tokens = Sequence[int]
_STACKED = 4
"""Steps that the recogniser takes at once, as is usual in speech recognition: 34 ms of 8.5."""


@dataclass(frozen=True)
class HeadBudget:
    """Limits on the training of a head; counted in steps, for a limit in seconds would not repeat.

    Attributes:
        steps: Number of optimiser steps.
        batch_size: Utterances a step.
        lr: Adam's rate, falling to 0 along a cosine.
        check_every: Steps between looks at the held-out part of the training split.
        held_out: Share of the training split that chooses the best state.
    """

    steps: int = 600
    batch_size: int = 64
    lr: float = 4e-3
    check_every: int = 100
    held_out: float = 0.1


class ContentHead(nn.Module):
    """Standardised features, four steps at a time → bidirectional GRU → one linear layer to tokens and blank.

    It is small on purpose, so that what it reads was in the features.

    Args:
        mean: Mean of every feature, ``(F,)``.
        deviation: Standard deviation of every feature, ``(F,)``; where it is 0 the feature is left out.
        tokens: Size of the vocabulary; the blank comes after it.
        width: Width of the GRU's states, a direction.
    """

    def __init__(self, *, mean: Tensor, deviation: Tensor, tokens: int, width: int = 96) -> None:
        super().__init__()
        self.blank = tokens
        self.mean, self.scale = nn.Buffer(mean), nn.Buffer(torch.where(deviation > 0, 1 / deviation, 0.0))
        self.recurrent = nn.GRU(_STACKED * len(mean), width, batch_first=True, bidirectional=True)
        self.readout = nn.Linear(2 * width, tokens + 1)

    def forward(self, features: Sequence[Tensor]) -> tuple[Tensor, Tensor]:
        """Log-probabilities ``(⌈T_max/4⌉, B, tokens + 1)`` and the lengths ``(B,)`` of utterances ``(T_i, F)``."""
        stacked = [self._stack((one - self.mean) * self.scale) for one in features]
        lengths = torch.tensor([len(one) for one in stacked])
        packed = pack_padded_sequence(
            pad_sequence(stacked, batch_first=True), lengths, batch_first=True, enforce_sorted=False
        )
        states = pad_packed_sequence(self.recurrent(packed)[0], batch_first=True)[0]
        return self.readout(states).log_softmax(2).transpose(0, 1), lengths

    @staticmethod
    def _stack(one: Tensor) -> Tensor:
        missing = -len(one) % _STACKED
        whole = torch.cat([one, one[-1:].expand(missing, -1)])
        return whole.unflatten(0, (-1, _STACKED)).flatten(1)

    def read(self, features: Sequence[Tensor], *, batch_size: int = 128) -> list[list[int]]:
        """The tokens of each utterance: the likeliest symbol a step, repetitions and blanks taken out."""
        decoded = []
        with evaluating(self):
            for start in range(0, len(features), batch_size):
                scores, lengths = self(features[start : start + batch_size])
                for path, length in zip(scores.argmax(2).T, lengths.tolist(), strict=True):
                    kept = path[:length].unique_consecutive()
                    decoded.append(kept[kept != self.blank].tolist())
        return decoded


def train_head(
    features: Sequence[Tensor],
    tokens: Sequence[Tokens],
    *,
    vocabulary: int,
    seed: int = 0,
    budget: HeadBudget = HeadBudget(),
    progress: Progress | None = None,
) -> ContentHead:
    """Train a head by ``−log Σ_π p(π)`` over the paths π that spell the tokens (Graves et al. 2006).

    The state with the lowest token error rate on a held-out part of the utterances is returned.

    Args:
        features: Features of each utterance, ``(T_i, F)``.
        tokens: Tokens of each utterance, in ``[0, vocabulary)``.
        vocabulary: Number of tokens.
        seed: Seed of the weights, the order, and the part held out.
        budget: Limits on the training.
        progress: Called with steps done and allowed.

    Raises:
        InputError: There are fewer than 10 utterances, or not as many transcripts.
    """
    if len(features) < 10 or len(features) != len(tokens):
        raise InputError(
            f"a content head needs at least 10 utterances with their tokens; got {len(features)} and {len(tokens)}"
        )
    every = torch.cat(list(features))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mix_seed(seed, 1))
        head = ContentHead(mean=every.mean(0), deviation=every.std(0), tokens=vocabulary)
    generator = torch.Generator().manual_seed(mix_seed(seed, 2))
    order = torch.randperm(len(features), generator=generator)
    held = order[: max(1, int(budget.held_out * len(order)))].tolist()
    rest = order[len(held) :]
    optimizer = torch.optim.Adam(head.parameters(), lr=budget.lr)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, budget.steps)
    best, best_state = float("inf"), copy.deepcopy(head.state_dict())
    size, queue = min(budget.batch_size, len(rest)), torch.empty(0, dtype=torch.long)
    for step in range(1, budget.steps + 1):
        if len(queue) < size:
            # The rest of an epoch that does not fill a batch is left for another order.
            queue = rest[torch.randperm(len(rest), generator=generator)]
        rows, queue = queue[:size].tolist(), queue[size:]
        _step(head, optimizer, [features[i] for i in rows], [tokens[i] for i in rows])
        schedule.step()
        if step % budget.check_every == 0 or step == budget.steps:
            read = head.read([features[i] for i in held])
            errors = sum(Levenshtein.distance(tokens[i], guess) for i, guess in zip(held, read, strict=True))
            if errors < best:
                best, best_state = errors, copy.deepcopy(head.state_dict())
        if progress is not None:
            progress(step, budget.steps)
    head.load_state_dict(best_state)
    return head.eval()


def _step(
    head: ContentHead, optimizer: torch.optim.Optimizer, features: list[Tensor], tokens: list[Tokens]
) -> None:
    head.train()
    scores, lengths = head(features)
    wanted = torch.tensor([token for one in tokens for token in one])
    counts = torch.tensor([len(one) for one in tokens])
    # An utterance with more tokens than steps has no path; it teaches nothing, and is still judged.
    loss = nn.functional.ctc_loss(scores, wanted, lengths, counts, blank=head.blank, zero_infinity=True)
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(head.parameters(), 1.0)
    optimizer.step()
