"""Speaker embeddings: who speaks, as a vector, of any network that keeps the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor

from seqdis.core.data.sequence import SequenceBatch, SequenceDataset
from seqdis.core.data.sound import Sound
from seqdis.core.disentangler import Progress
from seqdis.core.errors import InputError
from seqdis.eval.judge_training import JudgeBudget, judge_for
from seqdis.eval.judges import SequenceJudge

__all__ = ["JudgedVoice", "ScriptedVoice", "VoiceEmbedding", "judged_voice"]

_BUDGET = JudgeBudget(steps=300, batch_size=32)
"""Half of the steps and of the batch of a judge of all labels: there is one to learn."""


class VoiceEmbedding(Protocol):
    """A network that tells speakers apart."""

    @property
    def name(self) -> str:
        """What a report calls it."""

    def __call__(self, frames: Tensor, sound: Sound) -> Tensor:
        """The embedding ``(F,)`` of an utterance: its frames ``(T, *frame)``, and what they sound like."""


class JudgedVoice:
    """What a judge that was trained to name the speakers decides by; it reads the frames.

    Args:
        judge: Trained on the training split's real utterances.
    """

    name = "a judge trained on the training split's speakers"

    def __init__(self, judge: SequenceJudge) -> None:
        self._judge = judge.eval()

    @torch.no_grad()
    def __call__(self, frames: Tensor, sound: Sound) -> Tensor:
        """See :class:`VoiceEmbedding`."""
        device = next(self._judge.parameters()).device
        return self._judge.features(frames[None].to(device))[0].cpu()


class ScriptedVoice:
    """A speaker network of others as TorchScript, such as an exported ECAPA-TDNN; it hears the sound.

    Args:
        path: A script from samples ``(1, N)`` at ``rate`` to an embedding ``(1, F)``; nothing here fetches one.
        rate: Hz that it takes.

    Raises:
        InputError: The file is missing or no TorchScript.
    """

    def __init__(self, path: Path, *, rate: int = 16000) -> None:
        if not path.is_file():
            raise InputError(
                f"{path}: no such file; needed is a TorchScript module from samples (1, N) at {rate} Hz to a speaker "
                "embedding (1, F), such as an exported ECAPA-TDNN"
            )
        try:
            self._network = torch.jit.load(str(path), map_location="cpu").eval()
        except (RuntimeError, ValueError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{path}: cannot be read as TorchScript: {first}") from error
        self.name, self._path, self._rate = path.name, path, rate

    @torch.no_grad()
    def __call__(self, frames: Tensor, sound: Sound) -> Tensor:
        """See :class:`VoiceEmbedding`.

        Raises:
            InputError: The sound has another rate, or the script returns another shape.
        """
        if sound.rate != self._rate:
            raise InputError(f"{self._path}: hears {self._rate} Hz; got {sound.rate} Hz")
        found = self._network(sound.samples[None])
        if not isinstance(found, Tensor) or found.ndim != 2 or len(found) != 1:
            came = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise InputError(f"{self._path}: returned {came}; allowed: an embedding (1, F)")
        return found[0].float()


class _OneLabel(SequenceDataset):
    """A dataset with one of its labels alone."""

    def __init__(self, dataset: SequenceDataset, name: str) -> None:
        self._dataset, self._name, self.labels = dataset, name, {name: dataset.labels[name]}

    @property
    def shape(self) -> tuple[int, ...]:
        return self._dataset.shape

    def __len__(self) -> int:
        return len(self._dataset)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> SequenceBatch:
        batch = self._dataset.fetch(indices, epoch=epoch)
        return replace(batch, labels={self._name: batch.labels[self._name]})


def judged_voice(
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    identity: str,
    path: Path | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> JudgedVoice:
    """The voice embedding of a judge that learns to name the training split's speakers, and nothing else.

    Args:
        train_set: What it learns from.
        test_set: Of the same data.
        identity: The label that says who.
        path: Where the judge is kept for the next time.
        seed: Of its training.
        device: Where it is.
        progress: Called with steps done and allowed.

    Raises:
        InputError: There are fewer than 20 training sequences.
    """
    views = [_OneLabel(dataset, identity) for dataset in (train_set, test_set)]
    found = judge_for(*views, path=path, seed=seed, device=device, budget=_BUDGET, progress=progress)
    return JudgedVoice(found[0])
