"""The log-mel analysis against formulas written out here, and its inverse."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from seqdis.audio.mel import LogMel, log_mel
from seqdis.audio.options import AudioOptions
from seqdis.core.errors import InputError

OPTIONS = AudioOptions()


def slaney_mel(hertz: np.ndarray) -> np.ndarray:
    """Slaney's Auditory Toolbox (1998): 200/3 Hz a mel up to 1 kHz, then 27 mels for a factor of 6.4."""
    return np.where(
        hertz < 1000, hertz * 3 / 200, 15 + 27 * np.log(np.maximum(hertz, 1) / 1000) / np.log(6.4)
    )


def slaney_hertz(mel: np.ndarray) -> np.ndarray:
    return np.where(mel < 15, mel * 200 / 3, 1000 * np.exp((mel - 15) * np.log(6.4) / 27))


def triangles(bins: int, n_fft: int, rate: int, low: float, high: float) -> np.ndarray:
    edges = slaney_hertz(np.linspace(slaney_mel(np.array(low)), slaney_mel(np.array(high)), bins + 2))
    frequencies = np.arange(n_fft // 2 + 1) * rate / n_fft
    rows = [np.interp(frequencies, edges[m : m + 3], [0.0, 1.0, 0.0]) for m in range(bins)]
    return np.array(rows)


@pytest.mark.parametrize("bins", [40, 80])
def test_a_frame_is_the_log_of_windowed_power_through_triangles(bins: int) -> None:
    wave = torch.randn(4000, generator=torch.Generator().manual_seed(0)) * 0.1
    frames = LogMel(bins, OPTIONS)(wave)
    t, hop, n_fft, width = 7, 136, 512, 400
    start = t * hop - n_fft // 2
    window = np.zeros(n_fft)
    window[56:456] = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / width)
    spectrum = np.fft.rfft(wave.numpy().astype(np.float64)[start : start + n_fft] * window)
    power = np.abs(spectrum) ** 2 / np.square(window).sum()
    expected = np.log(np.maximum(triangles(bins, n_fft, 16000, 0, 8000) @ power, OPTIONS.floor))
    np.testing.assert_allclose(frames[t].numpy(), expected, atol=2e-3)


def test_the_number_of_frames_and_the_published_window() -> None:
    assert (OPTIONS.hop, OPTIONS.window) == (136, 400)
    assert log_mel(80, OPTIONS)(torch.zeros(16000)).shape == (118, 80)
    assert log_mel(80, OPTIONS)(torch.zeros(67 * 136)).shape == (68, 80)  # 580 ms


def test_silence_is_the_floor() -> None:
    frames = log_mel(80, OPTIONS)(torch.zeros(2000))
    torch.testing.assert_close(frames, torch.full_like(frames, math.log(1e-7)))


def test_loudness_is_an_offset_of_twice_the_log_of_the_gain() -> None:
    wave = torch.randn(8000, generator=torch.Generator().manual_seed(1)) * 0.05
    analyse = log_mel(80, OPTIONS)
    torch.testing.assert_close(analyse(3 * wave), analyse(wave) + 2 * math.log(3), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("hertz", [300.0, 1000.0, 4000.0])
def test_a_sine_is_brightest_in_the_band_of_its_frequency(hertz: float) -> None:
    wave = 0.5 * torch.sin(2 * math.pi * hertz / 16000 * torch.arange(8000))
    loudest = int(log_mel(80, OPTIONS)(wave)[20:-20].mean(0).argmax())
    top = slaney_mel(np.array(8000.0))
    centre = float(slaney_hertz(np.array((loudest + 1) * top / 81)))
    spacing = float(slaney_hertz(np.array((loudest + 2) * top / 81))) - centre
    assert abs(centre - hertz) <= spacing


def test_a_batch_is_analysed_row_by_row() -> None:
    waves = torch.randn(3, 3000, generator=torch.Generator().manual_seed(2))
    analyse = log_mel(80, OPTIONS)
    torch.testing.assert_close(analyse(waves)[1], analyse(waves[1]))


def chirp(seconds: float = 0.7) -> torch.Tensor:
    time = torch.arange(round(16000 * seconds)) / 16000
    phase = 2 * math.pi * (200 * time + 200 * time.square())
    noise = torch.randn(len(time), generator=torch.Generator().manual_seed(3))
    return 0.1 * sum(torch.sin(k * phase) / k for k in range(1, 9)) + 0.003 * noise


def test_sound_made_from_frames_has_these_frames() -> None:
    analyse = log_mel(80, OPTIONS)
    frames = analyse(chirp())
    again = analyse(analyse.to_wave(frames))
    assert again.shape == frames.shape
    error = (again - frames).abs().mean()
    assert error < 0.5  # nats; 2 dB
    # The sound of a constant spectrum of the same mean is far away: the figure above means something.
    flat = analyse(analyse.to_wave(frames.mean(0).expand_as(frames)))
    assert (flat - frames).abs().mean() > 2 * error


def test_sound_is_fixed_by_its_seed_and_leaves_the_global_generator_alone() -> None:
    analyse = log_mel(80, OPTIONS)
    frames = analyse(chirp(0.3))
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    first = analyse.to_wave(frames)
    assert torch.equal(torch.rand(3), expected)
    assert torch.equal(first, analyse.to_wave(frames))
    assert not torch.equal(first, analyse.to_wave(frames, seed=1))


def test_frames_that_a_model_threw_far_off_still_give_finite_sound() -> None:
    wave = log_mel(80, OPTIONS).to_wave(torch.full((10, 80), 500.0))
    assert bool(torch.isfinite(wave).all())


def test_messages() -> None:
    analyse = log_mel(80, OPTIONS)
    for wrong in (torch.zeros(3, 40), torch.zeros(0, 80)):
        with pytest.raises(
            InputError, match=r"^frames of shape \(\d, \d0\); sound needs \(T, 80\) with T ≥ 1$"
        ):
            analyse.to_wave(wrong)
    with pytest.raises(InputError, match="NaN or Inf"):
        analyse.to_wave(torch.full((9, 80), float("nan")))
    with pytest.raises(InputError, match=r"mel bins hold no frequency of an n_fft of 512; allowed: a larger"):
        LogMel(200, OPTIONS)


@pytest.mark.parametrize("samples", [1, 100, 136, 200, 256])
def test_sound_shorter_than_the_transform_goes_on_in_silence(samples: int) -> None:
    wave = 0.1 * torch.randn(samples, generator=torch.Generator().manual_seed(samples))
    frames = log_mel(80, OPTIONS)(wave)
    assert frames.shape == (1 + samples // 136, 80)
    longer = log_mel(80, OPTIONS)(torch.cat([wave, torch.zeros(257 - samples)]))
    assert torch.equal(frames, longer[: len(frames)])


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_a_few_frames_have_a_sound(count: int) -> None:
    frames = log_mel(80, OPTIONS)(chirp(0.3))[:count]
    wave = log_mel(80, OPTIONS).to_wave(frames)
    assert wave.shape == (max(1, count - 1) * 136,)
    assert float(wave.abs().max()) > 0
