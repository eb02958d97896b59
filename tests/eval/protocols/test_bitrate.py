from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors
from seqdis.core.quantize import Bitrate
from seqdis.core.sequences import Sequences
from seqdis.eval.protocols.bitrate import bitrate_protocol

ENTRIES = 8


def sequences(count: int, seed: int) -> SequenceDataset:
    """Frames of two numbers: a skewed choice of six of the eight entries, and a fair coin."""
    g = torch.Generator().manual_seed(seed)
    skewed = torch.multinomial(
        torch.tensor([32.0, 16, 8, 4, 2, 1]), count * 20, replacement=True, generator=g
    )
    coin = torch.randint(2, (count * 20,), generator=g)
    return ArraySequences(torch.stack([skewed, coin], dim=1).view(count, 20, 2).float())


@pytest.fixture
def coded(channels: type[Any]) -> Any:
    class Coded(channels):  # type: ignore[misc]
        """The two numbers of a frame are its codes."""

        bitrate = Bitrate(target=3.0, fps=10.0)

        def _encode(self, sequences: Sequences, **_: Any) -> Factors:
            return Factors(sequences.x[:, 0], sequences.x, {"codes": Extra(sequences.x.long(), "dynamic")})

        def codebook(self) -> Tensor:
            return torch.zeros(2, ENTRIES, 1)

    return Coded(channels=2)


def entropy(codes: Tensor) -> float:
    shares = [count / len(codes) for count in Counter(codes.tolist()).values()]
    return -sum(share * math.log2(share) for share in shares)


def test_the_rate_is_that_of_the_held_out_codes(coded: Any) -> None:
    train_set, test_set = sequences(40, 0), sequences(30, 1)
    found = bitrate_protocol(coded, train_set, test_set)
    codes = test_set.fetch(range(30)).x.flatten(0, 1).long()
    bits = entropy(codes[:, 0]) + entropy(codes[:, 1])
    assert found["entropy_bits"].value == pytest.approx(bits)
    # A range coder with the codes' own frequencies: their entropy, rounded up to whole bytes.
    assert 0 <= found["coded_bits"].value - bits < 0.02 * bits
    assert found["coded_bits"].value < found["file_bits"].value
    assert found["kbps"].value == pytest.approx(found["coded_bits"].value * 10 / 1000)
    known = train_set.fetch(range(40)).x.flatten(0, 1).long()
    foreign = 0.0
    for group in (0, 1):
        share = {j: (known[:, group] == j).sum().item() + 1 for j in range(ENTRIES)}
        foreign -= sum(math.log2(share[j] / (len(known) + ENTRIES)) for j in codes[:, group].tolist())
    assert found["train_coder_bits"].value == pytest.approx(foreign / len(codes))
    assert found["train_coder_bits"].value > bits
    assert found["target_bits"].value == 3
    assert found["capacity_bits"].value == pytest.approx(6)
    assert found["dead_codes"].value == pytest.approx((2 + 6) / 16)
    assert found["perplexity"].value == pytest.approx(
        (2 ** entropy(codes[:, 0]) + 2 ** entropy(codes[:, 1])) / 2
    )


def test_without_target_and_frame_rate_neither_is_reported(coded: Any) -> None:
    coded.bitrate = Bitrate()
    found = bitrate_protocol(coded, sequences(4, 0), sequences(4, 1))
    assert not {"target_bits", "kbps"} & found.keys()


def test_a_method_without_codes_is_refused(channels: type[Any], world: type[Any]) -> None:
    with pytest.raises(InputError, match="Channels has no codes whose rate could be measured"):
        bitrate_protocol(channels(), world(4, 0), world(4, 1))
