from __future__ import annotations

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.sound import Sound
from seqdis.core.data.subset import Subset
from seqdis.core.errors import InputError


def test_a_sound_has_a_duration() -> None:
    assert Sound(torch.zeros(8000), 16000).seconds == 0.5


@pytest.mark.parametrize(("samples", "rate"), [(torch.zeros(2, 8), 16000), (torch.zeros(8), 0)])
def test_another_shape_or_rate_is_refused(samples: torch.Tensor, rate: int) -> None:
    with pytest.raises(InputError, match=r"a sound needs samples \(N,\) and a rate in Hz; got"):
        Sound(samples, rate)


def test_sequences_in_memory_carry_what_is_said_and_how_it_sounded() -> None:
    x = torch.randn(3, 4, 2)
    dataset = ArraySequences(
        x, texts=["one", "two", "three"], sound=lambda i: Sound(torch.full((5,), float(i)), 8)
    )
    for recordings in (dataset.recordings(), Subset(dataset, [2, 0]).recordings()):
        assert recordings is not None
        assert recordings.texts == ["one", "two", "three"]
        assert recordings.sound is not None
        assert recordings.sound(2).samples[0] == 2
    assert ArraySequences(x).recordings().texts is None
    with pytest.raises(InputError, match="need one entry a sequence"):
        ArraySequences(x, texts=["one"])
