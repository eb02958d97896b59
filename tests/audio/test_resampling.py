"""Resampling against torchaudio, against the formula, and against sines that are known at any rate."""

from __future__ import annotations

import math
import tracemalloc

import pytest
import torch
import torchaudio.functional as audio
from torch import Tensor

from seqdis.audio.resampling import resampled, resampled_length


def resample(wave: Tensor, native: int, rate: int) -> Tensor:
    return torch.cat([wave[:0], *resampled([wave], native, rate)])


RATES = [8000, 11025, 16000, 22050, 44100, 48000, 96000]


@pytest.mark.parametrize("native", RATES)
@pytest.mark.parametrize("rate", RATES)
def test_common_rates_are_resampled_as_torchaudio_does(native: int, rate: int) -> None:
    wave = torch.randn(3001, generator=torch.Generator().manual_seed(native))
    expected = audio.resample(wave, native, rate)
    received = resample(wave, native, rate)
    assert len(received) == math.ceil(3001 * rate / native) == resampled_length(3001, native, rate)
    torch.testing.assert_close(received, expected[: len(received)], atol=2e-5, rtol=0)


def test_the_length_is_exact_where_float32_is_not() -> None:
    # 2**25 + 1 samples, which float32 takes for 2**25.
    assert resampled_length(2**25 + 1, 48000, 16000) == (2**25 + 1 + 2) // 3
    assert resampled_length(26_460_001, 44100, 16000) == math.ceil(26_460_001 * 160 / 441)


@pytest.mark.parametrize(("native", "rate"), [(44101, 16000), (16000, 44101), (7919, 16001), (192000, 8001)])
def test_rates_without_a_common_divisor(native: int, rate: int) -> None:
    hertz = 440.0
    wave = torch.sin(2 * math.pi * hertz / native * torch.arange(native // 2, dtype=torch.float64)).float()
    received = resample(wave, native, rate)
    assert len(received) == math.ceil(len(wave) * rate / native)
    expected = torch.sin(2 * math.pi * hertz / rate * torch.arange(len(received), dtype=torch.float64))
    inner = slice(len(received) // 10, -len(received) // 10)  # the edges border on silence
    torch.testing.assert_close(received[inner].double(), expected[inner], atol=4e-3, rtol=0)


def test_point_by_point_is_the_same_as_by_phases(monkeypatch: pytest.MonkeyPatch) -> None:
    wave = torch.randn(2000, generator=torch.Generator().manual_seed(0))
    for native, rate in ((44100, 16000), (16000, 22050), (48000, 8000)):
        expected = resample(wave, native, rate)
        with monkeypatch.context() as patch:
            patch.setattr("seqdis.audio.resampling._LARGEST_KERNEL", 0)
            torch.testing.assert_close(resample(wave, native, rate), expected, atol=2e-4, rtol=0)


def test_odd_rates_take_no_memory_to_speak_of() -> None:
    # torchaudio would build a kernel of 16000 × 88000 numbers, 11 GiB.
    tracemalloc.start()
    before = torch.cuda.memory_allocated() if torch.cuda.is_available() else 0
    assert len(resample(torch.zeros(44101), 44101, 16000)) == 16000
    assert len(resample(torch.zeros(20000), 767999, 1000)) == 27
    assert tracemalloc.get_traced_memory()[1] < 50e6
    tracemalloc.stop()
    assert before == 0


def test_the_same_rate_is_the_same_sound() -> None:
    wave = torch.randn(100)
    assert torch.equal(resample(wave, 16000, 16000), wave)


@pytest.mark.parametrize(("native", "rate"), [(44100, 16000), (8000, 16000), (44101, 16000)])
def test_it_does_not_matter_how_the_sound_comes_in(
    monkeypatch: pytest.MonkeyPatch, native: int, rate: int
) -> None:
    wave = torch.randn(150_001, generator=torch.Generator().manual_seed(1))
    whole = resample(wave, native, rate)
    for sizes in (50, 7919, 200_000):
        assert torch.equal(torch.cat([*resampled(wave.split(sizes), native, rate)]), whole)
    monkeypatch.setattr("seqdis.audio.resampling._BLOCK", 5000)
    parts = [*resampled(wave.split(7919), native, rate)]
    assert max(map(len, parts)) < 60_000
    torch.testing.assert_close(torch.cat(parts), whole, atol=2e-6, rtol=0)


@pytest.mark.parametrize("count", [0, 1, 2, 440, 441, 442, 882])
def test_sounds_of_a_few_samples(count: int) -> None:
    wave = torch.randn(count)
    received = resample(wave, 44100, 16000)
    assert len(received) == math.ceil(count * 160 / 441)
    if count:
        torch.testing.assert_close(received, audio.resample(wave, 44100, 16000), atol=2e-5, rtol=0)
