"""The content probe on factors that hold what is said, and on others that do not."""

from __future__ import annotations

import sys
from importlib.util import find_spec

import pytest
import torch
from rapidfuzz.distance import Levenshtein
from tests.eval.spoken import Spoken, Voices

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.eval.protocols.content import best_constant, content_protocol
from seqdis.eval.speech.content_head import HeadBudget
from seqdis.eval.speech.subwords import Subwords

BUDGET = HeadBudget(steps=100, batch_size=24, lr=2e-2, check_every=25)
needs_subwords = pytest.mark.skipif(
    find_spec("sentencepiece") is None,
    reason="subwords need the extra seqdis-eval[speech]",
)


@needs_subwords
@pytest.mark.parametrize("reverse", [False, pytest.param(True, marks=pytest.mark.full)])
def test_the_factor_that_holds_the_words_is_read(reverse: bool) -> None:
    metrics = content_protocol(
        Voices(reverse=reverse).eval(), Spoken(160, 0), Spoken(40, 1), vocabulary=6, budget=BUDGET
    )
    assert list(metrics) == [f"token_error_from_{source}" for source in ("static", "dynamic", "frames")]
    assert metrics["token_error_from_frames"].value < 0.2
    silent = metrics["token_error_from_dynamic" if reverse else "token_error_from_static"]
    telling = metrics["token_error_from_static" if reverse else "token_error_from_dynamic"]
    assert telling.chance == silent.chance
    assert telling.value < silent.value
    if not reverse:
        assert telling.value < 0.2
    assert metrics["token_error_from_static"].higher_is_better
    assert not metrics["token_error_from_dynamic"].higher_is_better


def test_the_best_constant_is_the_best_of_all_transcripts() -> None:
    tokens = [[1, 2, 3], [1, 2], [1, 2], [4], [1, 2, 5]]
    found = best_constant(tokens, generator=torch.Generator().manual_seed(0))
    costs = {tuple(c): sum(Levenshtein.distance(t, c) for t in tokens) for c in [*tokens, []]}
    assert costs[tuple(found)] == min(costs.values())
    assert found == [1, 2]


def test_data_without_transcripts_are_refused() -> None:
    plain = ArraySequences(torch.randn(30, 8, 4))
    with pytest.raises(InputError, match="content: the training split has no transcripts"):
        content_protocol(Voices().eval(), plain, plain)


@needs_subwords
def test_subwords_spell_what_they_were_given() -> None:
    texts = ["left right", "right left stop", "stop"] * 5
    subwords = Subwords(texts, size=30)
    assert 4 <= len(subwords) <= 30
    for text in texts:
        tokens = subwords.encode(text)
        assert all(0 <= token < len(subwords) for token in tokens)
        assert subwords.decode(tokens) == text
    # Fewer than there are characters cannot be had.
    assert len(Subwords(texts, size=2)) >= len({c for text in texts for c in text if c != " "})
    with pytest.raises(InputError, match="got 2 without any"):
        Subwords(["", " "])


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentencepiece", None)
    with pytest.raises(InputError, match=r"pip install 'seqdis-eval\[speech\]'"):
        Subwords(["left"])
