"""DNSMOS on sounds with a known order; without its package, what is said instead."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path

import pytest
import torch

from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.eval.metrics.dnsmos import DNSMOS, OpinionScore, mean_opinion


@pytest.fixture(scope="module")
def score() -> DNSMOS:
    for module in ("speechmos", "librosa", "onnxruntime"):
        pytest.importorskip(module, reason="DNSMOS needs the extra seqdis-eval[speech]")
    return DNSMOS()


def test_without_the_package_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "speechmos", None)
    with pytest.raises(InputError, match=r"DNSMOS needs speechmos .*pip install 'seqdis-eval\[speech\]'"):
        DNSMOS()


def test_noise_gets_less_than_speech(score: DNSMOS, dataset_folder: Callable[[str], Path]) -> None:
    soundfile = pytest.importorskip("soundfile", reason="speech is read by the audio modality's library")
    path = next(dataset_folder("librispeech_mini").rglob("1688-142285-0000.flac"))
    samples, rate = soundfile.read(path, frames=32000, dtype="float32")
    clean = torch.from_numpy(samples)
    noisy = clean + clean.std() * torch.randn(len(clean), generator=torch.Generator().manual_seed(0))
    good, bad = score(Sound(clean, rate)), score(Sound(noisy, rate))
    assert all(a > b for a, b in zip(astuple(good), astuple(bad), strict=True))
    assert all(1 <= value <= 5 for value in (*astuple(good), *astuple(bad)))


def test_what_exceeds_full_scale_is_scaled_down(score: DNSMOS) -> None:
    wave = torch.sin(torch.arange(16000) * 0.1)
    loud, full = score(Sound(3 * wave, 16000)), score(Sound(wave / wave.abs().max(), 16000))
    assert astuple(loud) == pytest.approx(astuple(full), abs=1e-3)


def test_a_short_sound_gets_what_the_package_says_of_its_repetitions(score: DNSMOS) -> None:
    from speechmos import dnsmos

    # Repeated whole seconds look alike in every window, a second apart.
    second = 0.1 * torch.randn(16000, generator=torch.Generator().manual_seed(0))
    wanted = dnsmos.run(second.repeat(10).numpy(), 16000)
    found = score(Sound(second, 16000))
    names = ("p808_mos", "sig_mos", "bak_mos", "ovrl_mos")
    assert astuple(found) == pytest.approx([float(wanted[name]) for name in names], abs=1e-4)


@pytest.mark.parametrize(
    ("sound", "message"),
    [
        (Sound(torch.zeros(8000), 8000), r"1 s at 8000 Hz; allowed: 0\.1 s or more at 16000 Hz"),
        (Sound(torch.zeros(80), 16000), r"0\.005 s at 16000 Hz; allowed: 0\.1 s or more"),
        (Sound(torch.full((8000,), torch.nan), 16000), "the samples hold NaN or Inf"),
    ],
)
def test_what_it_cannot_hear_is_refused(score: DNSMOS, sound: Sound, message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(sound)


def test_the_mean_is_over_sounds() -> None:
    scores = [OpinionScore(p808=float(i), signal=2.0, background=3.0, overall=1.0) for i in (1, 2, 3)]
    found = mean_opinion(scores, generator=torch.Generator().manual_seed(0))
    assert found["p808"].value == 2
    assert found["p808"].n == 3
    assert found["signal"].ci95 == (2, 2)
    with pytest.raises(InputError, match="at least one sound"):
        mean_opinion([], generator=torch.Generator())
