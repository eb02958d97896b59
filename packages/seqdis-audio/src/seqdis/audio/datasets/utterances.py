"""Chunks of long recordings, read from disk as they are needed: a corpus does not fit in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seqdis.audio.completion import audio_options
from seqdis.audio.io import read_segment
from seqdis.audio.mel import log_mel
from seqdis.audio.segments import segment_wave
from seqdis.audio.sound_info import sound_info
from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.labels import Label
from seqdis.core.data.recordings import Recordings, View, digest
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import window_starts
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.core.random import mix_seed
from seqdis.core.sequences import Sequences

__all__ = ["Utterance", "UtteranceChunks"]

_THREADS = 4


@dataclass(frozen=True)
class Utterance:
    """One recording of a corpus: its file, its name below the corpus, its labels, and its words if known."""

    path: Path
    key: str
    labels: Mapping[str, int]
    text: str | None = None


class UtteranceChunks(SequenceDataset):
    """Chunks of V frames, each equal to the same frames of the whole utterance's analysis.

    An epoch of training visits every utterance ``data.repeats`` times (once when omitted), with a fresh random chunk each
    time; otherwise all consecutive chunks are there, keyed ``utterance@first_frame``.

    Args:
        utterances: The recordings to cut chunks from.
        data: The data settings: the length of a chunk and the analysis, whose sample rate the files must
            have.
        labels: The meaning of each label.
        random: Whether chunks are drawn anew in every epoch.
        seed: Seed that, with the epoch and the index, fixes a random chunk.

    Raises:
        InputError: There is no utterance, one is damaged or shorter than a chunk, or ``data.pick``
            asks for frames that are not consecutive.
    """

    def __init__(
        self,
        utterances: Sequence[Utterance],
        data: DataConfig,
        *,
        labels: Mapping[str, Label],
        random: bool,
        seed: int = 0,
    ) -> None:
        if not utterances:
            raise InputError(f"dataset {data.dataset!r}: this split holds no utterance")
        if data.pick != "window":
            raise InputError(f"data.pick is {data.pick!r}; a speech corpus allows: window")
        self.labels = dict(labels)
        self._options = audio_options(data)
        self._analyse = log_mel(data.frame_shape[0], self._options)
        self._length, self._utterances, self._seed = data.length, list(utterances), seed
        with ThreadPoolExecutor(_THREADS) as pool:
            self._samples = list(pool.map(lambda u: sound_info(u.path).samples, utterances))
        self._totals = [self._analyse.steps(samples) for samples in self._samples]
        for utterance, total in zip(utterances, self._totals, strict=True):
            if total < data.length:
                raise InputError(f"{utterance.path}: has {total} steps; at least {data.length} are needed")
        self._random, self._repeats = random, data.repeats or 1
        self._chunks = [
            (index, start)
            for index, total in enumerate(self._totals)
            for start in window_starts(total, data.length, data.length)
        ]

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one sequence, ``(V, bins)``."""
        return (self._length, self._analyse.bins)

    def __len__(self) -> int:
        return len(self._utterances) * self._repeats if self._random else len(self._chunks)

    def _chunk(self, index: int, epoch: int) -> tuple[int, int]:
        if not self._random:
            return self._chunks[index]
        which = index % len(self._utterances)
        generator = torch.Generator().manual_seed(mix_seed(self._seed, epoch, index))
        return which, int(torch.randint(self._totals[which] - self._length + 1, (), generator=generator))

    def _read(self, which: int, start: int) -> Tensor:
        path, rate = self._utterances[which].path, self._options.sample_rate

        def read(first: int, last: int) -> Tensor:
            return read_segment(path, first, last, rate)

        last = start + self._length
        return segment_wave(self._analyse, start, last, samples=self._samples[which], read=read)

    def recordings(self) -> Recordings:
        """The utterances, each analysed whole; a file that was written anew is another recording."""

        def sound(index: int) -> Sound:
            rate = self._options.sample_rate
            return Sound(read_segment(self._utterances[index].path, 0, self._samples[index], rate), rate)

        def read(index: int) -> Clip:
            u = self._utterances[index]
            frames = self._analyse(sound(index).samples)
            return Clip(frames, u.key, stamps=self._analyse.seconds(torch.arange(len(frames))))

        def views(indices: Sequence[int], epoch: int) -> list[View]:
            chunks = [self._chunk(index, epoch) for index in indices]
            return [View(which, torch.arange(start, start + self._length)) for which, start in chunks]

        def fingerprint() -> str:
            stats = [(u.key, u.path.stat()) for u in self._utterances]
            return digest([f"{key} {stat.st_size} {stat.st_mtime_ns}" for key, stat in stats])

        known = [u.text for u in self._utterances if u.text is not None]
        texts = known if len(known) == len(self._utterances) else None
        return Recordings(len(self._utterances), read, views, fingerprint, texts=texts, sound=sound)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        """Read some chunks from their files.

        Raises:
            InputError: A file is missing, damaged, or of another sample rate than the options say.
        """
        chunks = [self._chunk(index, epoch) for index in indices]
        chosen = [self._utterances[which] for which, _ in chunks]
        waves = torch.stack([self._read(which, start) for which, start in chunks])
        return Sequences(
            x=self._analyse.padded(waves),
            labels={name: torch.tensor([u.labels[name] for u in chosen]) for name in self.labels},
            keys=[f"{u.key}@{start}" for u, (_, start) in zip(chosen, chunks, strict=True)],
            stamps=np.stack(
                [self._analyse.seconds(start + torch.arange(self._length)) for _, start in chunks]
            ),
        )
