"""Silence at both ends, in sounds whose bounds are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from seqdis.audio.trimming import WINDOW_S, sounding_part
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError


def sound(
    before: float, tone: float, after: float, *, rate: int, quiet_db: float, level: float = 0.3
) -> Sound:
    """A tone between two stretches of the same tone that much quieter."""
    counts = [round(seconds * rate) for seconds in (before, tone, after)]
    gain = torch.repeat_interleave(
        torch.tensor([10 ** (-quiet_db / 20), 1.0, 10 ** (-quiet_db / 20)]), torch.tensor(counts)
    )
    time = torch.arange(sum(counts), dtype=torch.float64) / rate
    return Sound((level * gain * torch.sin(2 * math.pi * 500 * time)).float(), rate)


def brute_force(samples: Tensor, rate: int, silence_db: float) -> tuple[int, int]:
    """The first and the last sample of the loud windows, by one loop over them."""
    width = round(0.02 * rate)
    levels = [
        10 * math.log10(max(1e-30, sum(float(x) ** 2 for x in samples[i : i + width]) / len(samples[i : i + width])))
        for i in range(0, len(samples), width)
    ]  # fmt: skip
    loud = [i for i, level in enumerate(levels) if level >= max(levels) - silence_db]
    return loud[0] * width, min(len(samples), (loud[-1] + 1) * width)


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize("level", [0.3, 1e-4])
@pytest.mark.parametrize("margin", [0.0, 0.1])
def test_a_tone_is_found_to_a_window(rate: int, level: float, margin: float) -> None:
    whole = sound(0.73, 0.5, 0.41, rate=rate, quiet_db=60, level=level)
    part = sounding_part(whole, margin=margin)
    assert 0.73 - margin - WINDOW_S <= part.first / rate <= 0.73 - margin
    assert 1.23 + margin <= part.last / rate <= 1.23 + margin + WINDOW_S


@pytest.mark.parametrize(("silence_db", "trimmed"), [(20.0, True), (29.0, True), (31.0, False)])
def test_the_threshold_is_in_decibels_below_the_loudest(silence_db: float, trimmed: bool) -> None:
    whole = sound(0.5, 0.5, 0.5, rate=16000, quiet_db=30)
    part = sounding_part(whole, silence_db=silence_db, margin=0.0)
    assert (part.last - part.first < len(whole.samples)) == trimmed


def test_noise_of_changing_level_against_a_loop_over_windows() -> None:
    generator = torch.Generator().manual_seed(0)
    for count in (1, 100, 161, 4801):
        level = 10 ** (-4 * torch.rand(count, generator=generator))
        samples = level * torch.randn(count, generator=generator)
        for silence_db in (3.0, 25.0):
            part = sounding_part(Sound(samples, 8000), silence_db=silence_db, margin=0.0)
            assert (part.first, part.last) == brute_force(samples, 8000, silence_db)


def test_pauses_stay() -> None:
    tone = sound(0.0, 0.3, 0.0, rate=8000, quiet_db=0).samples
    whole = torch.cat([torch.zeros(4000), tone, torch.zeros(16000), tone, torch.zeros(4000)])
    part = sounding_part(Sound(whole, 8000), margin=0.0)
    assert (part.first, part.last) == (4000, 4000 + 2 * 2400 + 16000)


@pytest.mark.parametrize("samples", [torch.zeros(5000), torch.full((5000,), 0.2), torch.ones(1)])
def test_where_all_is_equally_loud_nothing_is_silent(samples: Tensor) -> None:
    part = sounding_part(Sound(samples, 16000))
    assert (part.first, part.last) == (0, len(samples))


def test_trimming_twice_is_trimming_once() -> None:
    whole = sound(0.5, 0.4, 0.7, rate=16000, quiet_db=80)
    part = sounding_part(whole)
    once = Sound(whole.samples[part.first : part.last], 16000)
    again = sounding_part(once)
    assert (again.first, again.last) == (0, len(once.samples))


def test_messages() -> None:
    with pytest.raises(InputError, match="needs samples; got none"):
        sounding_part(Sound(torch.zeros(0), 8000))
    for wrong in ({"silence_db": 0.0}, {"margin": -1.0}, {"silence_db": float("nan")}):
        with pytest.raises(InputError, match="allowed: above 0, and 0 or more seconds"):
            sounding_part(Sound(torch.ones(10), 8000), **wrong)
