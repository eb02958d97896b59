"""The swap protocol on models that are right or wrong in known ways."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

from seqdis.core.data.sequence import ArraySequences
from seqdis.core.errors import InputError
from seqdis.eval.protocols import swap
from seqdis.eval.scoring import score_swaps


@pytest.fixture(autouse=True)
def _reads(reader: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swap, "score_swaps", partial(score_swaps, judge=reader))


def test_a_perfect_model_swaps_all_and_leaks_nothing(world: Any, channels: Any) -> None:
    metrics = swap.swap_protocol(channels().eval(), world(400, 0), world(400, 1))
    assert metrics["swap_joint_accuracy"].value == 1
    assert metrics["probe_level_from_static"].value == 1
    leak = metrics["leakage"]
    # Channels of another side say nothing: the probes guess.
    assert leak.value == pytest.approx(leak.chance, abs=0.12)
    assert not leak.higher_is_better


def test_a_reversed_model_swaps_nothing_and_leaks_all(world: Any, channels: Any) -> None:
    metrics = swap.swap_protocol(channels("reversed").eval(), world(400, 0), world(400, 1))
    assert metrics["swap_joint_accuracy"].value < 0.3
    assert metrics["leakage"].value == pytest.approx(1, abs=0.02)


def test_clips_without_labels_are_refused(channels: Any) -> None:
    plain = ArraySequences(torch.randn(30, 5, 4))
    with pytest.raises(InputError, match="carry no labels"):
        swap.swap_protocol(channels().eval(), plain, plain)
