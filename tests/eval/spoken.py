"""A world of utterances with known answers: who speaks in two channels, what is said in two others."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.data.clip import Clip
from seqdis.core.data.dynamics_source import DynamicsSource
from seqdis.core.data.labels import Label
from seqdis.core.data.recordings import Recordings, View
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import window_starts
from seqdis.core.data.sound import Sound
from seqdis.core.disentangler import Disentangler, LossOutput
from seqdis.core.factors import Factors
from seqdis.core.modality import Modality
from seqdis.core.random import GeneratorLike, GeneratorStack
from seqdis.core.sequences import Sequences

SPEAKERS = 4
STEPS = 8
LETTERS = "abcd"
DATA = DataConfig(dataset="spoken", length=STEPS, frame_shape=(4,))


LABELS = {
    "speaker": Label(tuple(f"s{i}" for i in range(SPEAKERS)), "static"),
    "tempo": Label(("slow",), "dynamic"),
}


class Spoken(SequenceDataset):
    """Utterances of 3 to 5 letters, 6 steps each, cut into consecutive sequences of 8 steps.

    Frames are ``(voice, voice, letter, letter)``: a speaker's direction, and a letter's, with a little noise.
    """

    def __init__(self, count: int, seed: int, *, noise: float = 0.05) -> None:
        self.labels = LABELS
        g = torch.Generator().manual_seed(seed)
        angle = torch.arange(SPEAKERS) * (2 * torch.pi / SPEAKERS)
        voices = torch.stack([angle.cos(), angle.sin()], dim=1)
        letters = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
        self.who, self.texts, self.frames = [], [], []
        for i in range(count):
            said = torch.randint(len(LETTERS), (int(torch.randint(3, 6, (), generator=g)),), generator=g)
            word = letters[said].repeat_interleave(6, dim=0)
            x = torch.cat([voices[i % SPEAKERS].expand(len(word), 2), word], dim=1)
            self.who.append(i % SPEAKERS)
            self.texts.append("".join(LETTERS[letter] for letter in said.tolist()))
            self.frames.append(x + noise * torch.randn(x.shape, generator=g))
        self._places = [
            (i, s) for i, x in enumerate(self.frames) for s in window_starts(len(x), STEPS, STEPS)
        ]

    @property
    def shape(self) -> tuple[int, ...]:
        return (STEPS, 4)

    def __len__(self) -> int:
        return len(self._places)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        places = [self._places[i] for i in indices]
        return Sequences(
            x=torch.stack([self.frames[i][s : s + STEPS] for i, s in places]),
            labels={
                "speaker": torch.tensor([self.who[i] for i, _ in places]),
                "tempo": torch.zeros(len(places), dtype=torch.long),
            },
            keys=[f"u{i}@{s}" for i, s in places],
        )

    def recordings(self) -> Recordings:
        def views(indices: Sequence[int], epoch: int) -> list[View]:
            places = [self._places[i] for i in indices]
            return [View(i, torch.arange(s, s + STEPS)) for i, s in places]

        return Recordings(
            len(self.frames),
            lambda i: Clip(self.frames[i], f"u{i}"),
            views,
            lambda: "",
            texts=self.texts,
            sound=lambda i: as_sound(self.frames[i]),
        )


def as_sound(frames: Tensor) -> Sound:
    return Sound(0.1 * frames.flatten().repeat_interleave(50), 16000)


class Voices(Disentangler):
    """Splits the channels as it should, or the other way round."""

    def __init__(self, *, reverse: bool = False) -> None:
        super().__init__(frame_shape=(4,))
        self.reverse = reverse

    @classmethod
    def from_config(cls, config: Any, **_: Any) -> Self:
        raise NotImplementedError

    def _loss(self, sequences: Sequences, *, generator: GeneratorStack) -> LossOutput:
        raise NotImplementedError

    def _encode(self, sequences: Sequences, *, generator: GeneratorLike | None) -> Factors:
        assert not self.training
        x = sequences.x
        voice, word = x[..., :2], x[..., 2:]
        return Factors(word.mean(1), voice) if self.reverse else Factors(voice.mean(1), word)

    def _decode(self, factors: Factors, **options: Any) -> Tensor:
        still = factors.static[:, None].expand(-1, factors.steps, -1)
        return torch.cat([factors.dynamic, still] if self.reverse else [still, factors.dynamic], dim=2)


class Talk(Modality):
    """Its frames sound."""

    name = "talk"

    def read(self, path: Path, data: DataConfig) -> Clip:
        raise NotImplementedError

    def write(
        self, path: Path, frames: Tensor, data: DataConfig, *, source: DynamicsSource | None = None
    ) -> None:
        raise NotImplementedError

    def draw(self, path: Path, grid: Any, data: DataConfig) -> None:
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 8 + (1).to_bytes(4, "big") * 2)

    def to_sound(self, frames: Tensor, data: DataConfig) -> Sound:
        return as_sound(frames)
