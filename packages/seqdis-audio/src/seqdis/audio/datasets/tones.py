"""tones: short melodies on simple instruments, synthesised as waveforms and analysed like any sound.

Static: the timbre, a spectrum that does not change. Dynamic: the melody, five notes. What else
differs between clips is left to chance: key, tempo, loudness and the phase of every harmonic.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seqdis.audio.completion import audio_options
from seqdis.audio.mel import log_mel
from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.modality import DatasetSpec
from seqdis.core.random import mix_seed

__all__ = ["MELODIES", "SPEC", "TIMBRES", "synthesize", "tones_sequences"]

_K = np.arange(1, 17)
"""Harmonic numbers."""

TIMBRES: dict[str, np.ndarray] = {
    "flute": np.where(_K == 1, 1.0, 0.0),
    "clarinet": np.where(_K % 2 == 1, 1.0 / _K, 0.0),
    "organ": np.isin(_K, (1, 2, 4, 8)).astype(float),
    "strings": 1.0 / _K,
    "oboe": np.exp(-0.5 * ((_K - 5.0) / 1.2) ** 2) + np.where(_K == 1, 0.4, 0.0),
    "bell": np.isin(_K, (1, 7, 11)).astype(float),
}
"""Amplitude of each harmonic; scaled to equal power when played. All have a fundamental, the melody."""

MELODIES: dict[str, tuple[int, ...]] = {
    "rising": (0, 2, 4, 7, 9),
    "falling": (9, 7, 4, 2, 0),
    "arch": (0, 4, 9, 4, 0),
    "valley": (9, 4, 0, 4, 9),
    "repeated": (4, 4, 4, 4, 4),
    "zigzag": (0, 9, 0, 9, 0),
}
"""Semitones above the lowest note, of equally long notes; within an octave, for the organ's sake."""

LABELS = {"timbre": Label(tuple(TIMBRES), "static"), "melody": Label(tuple(MELODIES), "dynamic")}

_COUNTS = {"train": 1080, "val": 108, "test": 360}
_LOWEST_HZ = 262.0
_GLIDE_S = 0.012
_NOISE_RMS = 1e-3
_CHUNK = 90


def synthesize(
    timbres: np.ndarray, melodies: np.ndarray, *, samples: int, rate: int, generator: np.random.Generator
) -> Tensor:
    """Play N clips: ``x(t) = g · e(t) · Σ_k a_k · sin(k·φ(t) + θ_k)`` with ``φ' = 2π·f(t)``, and faint noise.

    Args:
        timbres: Indices into :data:`TIMBRES`, ``(N,)``.
        melodies: Indices into :data:`MELODIES`, ``(N,)``.
        samples: Length of a clip, in samples.
        rate: Sample rate in Hz.
        generator: Source of the draws: the key (± half a semitone), the tempo (± 6 %), the start (up to a
            fifth of a note late), the loudness (± 3 dB) and the phases.

    Returns:
        Samples ``(N, samples)``, float32 within [-1, 1].
    """
    count = len(timbres)
    notes = np.array(list(MELODIES.values()), dtype=np.float32)[melodies]
    spectra = np.array(list(TIMBRES.values()), dtype=np.float32)[timbres]
    spectra /= np.sqrt(np.square(spectra).sum(axis=1, keepdims=True))
    tempo = generator.uniform(0.94, 1.06, (count, 1)).astype(np.float32)
    late = generator.uniform(0.0, 0.2, (count, 1)).astype(np.float32)
    key = generator.uniform(-0.5, 0.5, (count, 1)).astype(np.float32)
    gain = 0.15 * 10 ** (generator.uniform(-3, 3, (count, 1)) / 20)

    position = np.linspace(0, notes.shape[1], samples, endpoint=False, dtype=np.float32) * tempo - late
    index = np.clip(position, 0, notes.shape[1] - 1e-3).astype(np.int64)
    since = np.clip(position, 0, None) - index  # in notes: 0 at the onset
    glide = np.clip(since * samples / (notes.shape[1] * rate * _GLIDE_S), 0, 1)
    here = np.take_along_axis(notes, index, axis=1)
    before = np.take_along_axis(notes, np.clip(index - 1, 0, None), axis=1)
    pitch = key + before + (here - before) * glide
    envelope = glide * np.exp(-1.2 * since)

    phase = np.cumsum(2 * np.pi * _LOWEST_HZ / rate * np.exp2(pitch.astype(np.float64) / 12), axis=1)
    phase = np.mod(phase, 2 * np.pi).astype(np.float32)
    shift = generator.uniform(0, 2 * np.pi, spectra.shape).astype(np.float32)
    wave = np.zeros((count, samples), dtype=np.float32)
    for k, (amplitude, theta) in enumerate(zip(spectra.T, shift.T, strict=True), start=1):
        rows = np.flatnonzero(amplitude > 1e-3)
        wave[rows] += amplitude[rows, None] * np.sin(k * phase[rows] + theta[rows, None])
    wave *= (gain * envelope).astype(np.float32)
    wave += _NOISE_RMS * generator.standard_normal(wave.shape, dtype=np.float32)
    return torch.from_numpy(np.clip(wave, -1, 1))


def tones_sequences(data: DataConfig, split: str, root: Path | None, seed: int) -> SequenceDataset:
    """Every pair of timbre and melody equally often, in an order and with jitter that ``seed`` fixes.

    Raises:
        InputError: An option is out of range, or a fold is asked for: all sounds are made, and no speaker is unseen.
    """
    options = audio_options(data, folds=False)
    analyse = log_mel(data.frame_shape[0], options)
    generator = np.random.default_rng(mix_seed(seed, list(_COUNTS).index(split)))
    pairs = generator.permutation(_COUNTS[split]) % (len(TIMBRES) * len(MELODIES))
    timbres, melodies = pairs // len(MELODIES), pairs % len(MELODIES)
    # The sound goes on beyond the first and last frame's centre: no mirrored edges.
    samples = (data.length - 1) * options.hop + 2 * analyse.context
    # In pieces, to hold only a few waveforms in memory at a time.
    frames = [
        analyse.padded(
            synthesize(
                timbres[i : i + _CHUNK], melodies[i : i + _CHUNK], samples=samples,
                rate=options.sample_rate, generator=generator,
            )
        )
        for i in range(0, len(pairs), _CHUNK)
    ]  # fmt: skip
    names = [
        f"{LABELS['timbre'].classes[t]}-{LABELS['melody'].classes[m]}"
        for t, m in zip(timbres, melodies, strict=True)
    ]
    return ArraySequences(
        torch.cat(frames),
        labels=LABELS,
        label_values={"timbre": torch.from_numpy(timbres), "melody": torch.from_numpy(melodies)},
        keys=[f"{split}-{i:04d}-{name}" for i, name in enumerate(names)],
    )


SPEC = DatasetSpec("tones", "synthetic melodies: 6 timbres x 6 melodies, generated", LABELS, tones_sequences)
