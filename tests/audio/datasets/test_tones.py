"""The procedural dataset is what it says: timbres by their spectrum, melodies by their pitch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from seqdis.audio.datasets.tones import MELODIES, TIMBRES, synthesize
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.registry import build_dataset, get_preset

DATA = get_preset("diffsda-tones").data


@pytest.fixture(scope="module")
def test_split() -> SequenceDataset:
    return build_dataset("audio", DATA, "test")


def play(timbre: str, melody: str, *, samples: int = 32000, seed: int = 0) -> np.ndarray:
    wave = synthesize(
        np.array([list(TIMBRES).index(timbre)]),
        np.array([list(MELODIES).index(melody)]),
        samples=samples,
        rate=16000,
        generator=np.random.default_rng(seed),
    )
    return wave[0].numpy()


def pitches(wave: np.ndarray) -> list[float]:
    """Frequency of the strongest peak in the middle of each fifth of the sound."""
    found = []
    for note in range(5):
        middle = int((note + 0.55) / 5 * len(wave))
        piece = wave[middle - 2000 : middle + 2000] * np.hanning(4000)
        found.append(float(np.abs(np.fft.rfft(piece, 32000)).argmax()) * 16000 / 32000)
    return found


@pytest.mark.parametrize("melody", list(MELODIES))
def test_a_melody_is_heard_as_written(melody: str) -> None:
    heard = 12 * np.log2(np.array(pitches(play("flute", melody))) / 262.0)
    key = heard - np.array(MELODIES[melody])
    assert np.ptp(key) < 0.2
    assert abs(key.mean()) < 0.6


@pytest.mark.parametrize("timbre", list(TIMBRES))
def test_a_timbre_has_its_harmonics(timbre: str) -> None:
    wave = play(timbre, "repeated")[8000:12000] * np.hanning(4000)
    lowest = pitches(play("flute", "repeated"))[1]  # the same seed draws the same key
    spectrum = np.abs(np.fft.rfft(wave, 32000))
    heights = np.array(
        [spectrum[round(k * lowest * 2) - 8 : round(k * lowest * 2) + 9].max() for k in range(1, 17)]
    )
    expected = TIMBRES[timbre] / TIMBRES[timbre].max()
    np.testing.assert_allclose(heights / heights.max(), expected, atol=0.08)


def test_timbres_are_equally_loud_and_melodies_equally_frequent(test_split: SequenceDataset) -> None:
    rms = [float(np.sqrt(np.square(play(timbre, "arch")).mean())) for timbre in TIMBRES]
    assert max(rms) < 1.1 * min(rms)
    labels = test_split.all_labels()
    pairs = labels["timbre"] * len(MELODIES) + labels["melody"]
    assert torch.equal(pairs.bincount(), torch.full((36,), 10))


def test_seeds_and_splits_differ_and_repeat(test_split: SequenceDataset) -> None:
    again = build_dataset("audio", DATA, "test")
    other = build_dataset("audio", DATA, "test", seed=1)
    val = build_dataset("audio", DATA, "val")
    x = test_split.fetch(range(100)).x
    assert torch.equal(x, again.fetch(range(100)).x)
    assert not torch.equal(x, other.fetch(range(100)).x)
    assert not torch.equal(x, val.fetch(range(100)).x)
    assert x.shape == (100, 40, 80)


def test_keys_name_what_is_heard(test_split: SequenceDataset) -> None:
    batch = test_split.fetch(range(360))
    for i, key in enumerate(batch.keys):
        timbre, melody = key.split("-")[2:]
        assert test_split.labels["timbre"].classes[batch.labels["timbre"][i]] == timbre
        assert test_split.labels["melody"].classes[batch.labels["melody"][i]] == melody
