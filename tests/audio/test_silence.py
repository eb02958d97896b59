"""Silence, in sounds whose pauses are known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from seqdis.audio.datasets.utterances import Utterance, UtteranceChunks
from seqdis.audio.io import read_wave
from seqdis.audio.mel import log_mel
from seqdis.audio.modality import AudioModality
from seqdis.audio.options import AudioOptions
from seqdis.audio.silence import silent_steps
from seqdis.core.config import DataConfig
from seqdis.core.data.targets import WithTargets, target_table


def _sound(path: Path, quiet_db: float) -> Path:
    """A second of tone, one of the same tone that much quieter, and one of tone again."""
    time = np.arange(3 * 16000) / 16000
    gain = np.where((time >= 1) & (time < 2), 10 ** (-quiet_db / 20), 1)
    soundfile.write(
        path, (0.3 * gain * np.sin(2 * np.pi * 440 * time)).astype(np.float32), 16000, subtype="FLOAT"
    )
    return path


@pytest.mark.parametrize(("quiet_db", "silent"), [(35.0, False), (45.0, True), (90.0, True)])
def test_a_pause_is_silent_below_the_threshold(tmp_path: Path, quiet_db: float, silent: bool) -> None:
    options = AudioOptions()
    frames = log_mel(80, options)(read_wave(_sound(tmp_path / "a.wav", quiet_db), 16000))
    found = silent_steps(frames, below_db=options.silence_db)
    assert found.shape == (len(frames), 1)
    seconds = torch.arange(len(frames)) * options.hop / 16000
    pause = (seconds > 1.05) & (seconds < 1.95)
    assert bool((found[pause] == silent).all())
    assert not found[(seconds < 0.95) | (seconds > 2.05)].any()


def test_the_threshold_is_in_decibels_of_power() -> None:
    frames = torch.log(torch.tensor([[50.0, 50.0], [0.02, 0.0], [0.0, 0.005]]).clamp(min=1e-9))
    assert silent_steps(frames, below_db=40).flatten().tolist() == [0, 0, 1]  # −37 and −43 dB


@pytest.mark.parametrize("random", [False, True])
def test_chunks_of_utterances_carry_the_labels_of_their_own_steps(
    tmp_path: Path, speech_data: Callable[..., DataConfig], monkeypatch: pytest.MonkeyPatch, random: bool
) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path / "cache"))
    path = _sound(tmp_path / "a.wav", 60)
    data = speech_data("x", length=20).model_copy(update={"repeats": 15})
    chunks = UtteranceChunks([Utterance(path, "u", {})], data, labels={}, random=random, seed=1)
    target = AudioModality().targets()["silence"]
    table = target_table(chunks, "silence", target, modality="audio", data=data)
    batch = WithTargets(chunks, {"silence": table}).fetch(range(len(chunks)), epoch=2)
    loudest = float(chunks.fetch(range(len(chunks)), epoch=2).x.logsumexp(2).max())
    levels = batch.x.logsumexp(2)
    wanted = (levels < loudest - 40 * np.log(10) / 10).float()
    assert 0 < wanted.mean() < 1
    assert (batch.targets["silence"][..., 0] == wanted).float().mean() > 0.99  # rounding at the very edge


def test_a_file_that_was_written_anew_is_another_recording(
    tmp_path: Path, speech_data: Callable[..., DataConfig]
) -> None:
    def fingerprint(quiet: float, seconds: int) -> str:
        import os

        path = _sound(tmp_path / "a.wav", quiet)
        os.utime(path, (seconds, seconds))
        chunks = UtteranceChunks([Utterance(path, "u", {})], speech_data("x"), labels={}, random=True)
        return chunks.recordings().fingerprint()

    assert fingerprint(60, 1) == fingerprint(60, 1)
    assert fingerprint(60, 1) != fingerprint(60, 2)
