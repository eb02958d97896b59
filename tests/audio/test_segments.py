"""Parts of a sound have, bit for bit, the frames of the whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqdis.audio.mel import LogMel, log_mel
from seqdis.audio.options import AudioOptions
from seqdis.audio.segments import segment_frames, segment_wave

OPTIONS = AudioOptions()


def noise(samples: int) -> Tensor:
    return 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(samples))


def reader(wave: Tensor, reads: list[tuple[int, int]]) -> Callable[[int, int], Tensor]:
    def read(first: int, last: int) -> Tensor:
        assert 0 <= first < last <= len(wave)
        reads.append((first, last))
        return wave[first:last]

    return read


@pytest.mark.parametrize("samples", [1, 100, 135, 136, 255, 256, 257, 272, 400, 513, 680, 1360, 1361, 5000])
def test_every_stretch_of_a_short_sound(samples: int) -> None:
    analyse, wave = log_mel(80, OPTIONS), noise(samples)
    whole = analyse(wave)
    assert len(whole) == 1 + samples // 136
    for first in range(len(whole)):
        for last in range(first + 1, len(whole) + 1):
            frames = segment_frames(
                analyse, torch.arange(first, last), samples=samples, read=reader(wave, [])
            )
            assert torch.equal(frames, whole[first:last])


@pytest.mark.parametrize("bins", [13, 80])
@pytest.mark.parametrize("n_fft", [512, 2048])
def test_any_steps_of_a_long_sound(bins: int, n_fft: int) -> None:
    analyse = LogMel(bins, AudioOptions(n_fft=n_fft))
    wave = noise(200_000)
    whole = analyse(wave)
    generator = torch.Generator().manual_seed(0)
    for count in (1, 2, 5, 60, 700, len(whole)):
        steps = torch.randperm(len(whole), generator=generator)[:count].sort().values
        frames = segment_frames(analyse, steps, samples=len(wave), read=reader(wave, []))
        assert torch.equal(frames, whole[steps])


def test_a_whole_that_is_analysed_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    analyse, wave = log_mel(80, OPTIONS), noise(120_000)
    monkeypatch.setattr("seqdis.audio.mel._BLOCK", 10**9)
    whole = analyse(wave)
    monkeypatch.setattr("seqdis.audio.mel._BLOCK", 100)
    assert torch.equal(analyse(wave), whole)
    assert torch.equal(analyse(torch.stack([wave, wave]))[1], whole)


def test_no_more_is_read_than_is_needed() -> None:
    analyse, wave, reads = log_mel(80, OPTIONS), noise(10_000_000), []
    steps = torch.cat([torch.arange(68), torch.arange(40_000, 40_068)])
    segment_frames(analyse, steps, samples=len(wave), read=reader(wave, reads))
    needed = 67 * 136 + 2 * 256
    assert reads == [(0, 67 * 136 + 256), (40_000 * 136 - 256, 40_000 * 136 - 256 + needed)]


def test_the_edges_are_mirrored() -> None:
    analyse, wave = log_mel(80, OPTIONS), noise(1000)
    first = segment_wave(analyse, 0, 1, samples=1000, read=reader(wave, []))
    assert torch.equal(first, torch.cat([wave[1:257].flip(0), wave[:256]]))
    last = segment_wave(analyse, 7, 8, samples=1000, read=reader(wave, []))
    inside = wave[7 * 136 - 256 :]
    assert torch.equal(last, torch.cat([inside, wave[-1 - (512 - len(inside)) : -1].flip(0)]))
