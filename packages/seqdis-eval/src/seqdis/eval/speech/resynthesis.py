"""Utterances that a model makes anew: reconstructed, and with the voice of another one, as frames and as sound."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.analysis import evaluating, row_sources
from seqdis.core.config import DataConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sound import Sound
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.modality import Modality
from seqdis.core.progress import Progress
from seqdis.eval.speech.utterances import Chunked, chunked, utterances_of

__all__ = ["Resynthesis", "Voiced", "different_voices", "resynthesize"]

_BATCH_SIZE = 16
"""Utterances that are made in one pass; it does not change the result."""


@dataclass(frozen=True)
class Voiced:
    """Frames ``(T, *frame)`` and what they sound like."""

    frames: Tensor
    sound: Sound


@dataclass(frozen=True)
class Resynthesis:
    """An utterance said by another speaker, and what it was made of.

    Attributes:
        voice: The number and name of the utterance that gives the static factor.
        words: The number and name of the one that gives the dynamics.
        voice_vocoded: The frames of ``voice``, made audible without a model.
        vocoded: The frames of ``words``, likewise: what no model can better.
        reconstruction: Reconstruction of ``words``.
        swap: ``words`` with the static factor of ``voice``.
        voice_recorded: ``voice`` as it was recorded, where the dataset kept it.
        recorded: ``words`` as it was recorded, where the dataset kept it.
    """

    voice: tuple[int, str]
    words: tuple[int, str]
    voice_vocoded: Voiced
    vocoded: Voiced
    reconstruction: Voiced
    swap: Voiced
    voice_recorded: Sound | None
    recorded: Sound | None


def different_voices(
    speakers: Tensor, pairs: Sequence[tuple[int, int]], *, count: int
) -> list[tuple[int, int]]:
    """The first pairs ``(voice, words)`` of a list whose speakers differ.

    Args:
        speakers: Speaker of each utterance, ``(U,)``.
        pairs: Pairs of utterances.
        count: Number of clips at most.

    Raises:
        InputError: All utterances are of one speaker.
    """
    apart = [(a, b) for a, b in pairs if speakers[a] != speakers[b]]
    if not apart:
        raise InputError(f"{len(speakers)} utterances are of one speaker; a voice to lend must be another's")
    return apart[:count]


def resynthesize(
    model: Disentangler,
    dataset: SequenceDataset,
    pairs: Sequence[tuple[int, int]],
    *,
    modality: Modality,
    data: DataConfig,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Resynthesis]:
    """Make utterances anew, whole.

    An utterance is made chunk by chunk; in a swap its chunks take the static factors of the other utterance's chunks
    in turn.

    Args:
        model: A model of any method.
        dataset: A dataset that says from which recordings its sequences were cut.
        pairs: Numbers of the utterances that lend the static factor and the dynamics.
        modality: Makes frames audible.
        data: Data configuration of the run.
        seed: Seed of the method's draws; each chunk has a stream of its own.
        progress: Called with pairs done and in all.

    Raises:
        InputError: The dataset has no recordings, or the modality no sound.
    """
    recordings = dataset.recordings()
    if recordings is None:
        raise InputError("the data do not say what their sequences were cut from: there is no utterance")
    recording = utterances_of(dataset).recordings
    clips = {i: recordings.read(recording[i]) for pair in pairs for i in pair}
    cut = {i: chunked(clip.frames, dataset.shape[0]) for i, clip in clips.items()}
    heard = {i: recordings.sound(recording[i]) for i in clips} if recordings.sound is not None else {}
    plain = {i: _voiced(clip.frames, modality, data) for i, clip in clips.items()}
    resyntheses: list[Resynthesis] = []
    with evaluating(model):
        for start in range(0, len(pairs), _BATCH_SIZE):
            some = pairs[start : start + _BATCH_SIZE]
            made = _made(model, [(cut[a], cut[b]) for a, b in some], first=start, seed=seed)
            for (a, b), (rebuilt, swapped) in zip(some, made, strict=True):
                resyntheses.append(
                    Resynthesis(
                        voice=(a, clips[a].key),
                        words=(b, clips[b].key),
                        voice_vocoded=plain[a],
                        vocoded=plain[b],
                        reconstruction=_voiced(rebuilt, modality, data),
                        swap=_voiced(swapped, modality, data),
                        voice_recorded=heard.get(a),
                        recorded=heard.get(b),
                    )
                )
            if progress is not None:
                progress(len(resyntheses), len(pairs))
    return resyntheses


def _voiced(frames: Tensor, modality: Modality, data: DataConfig) -> Voiced:
    sound = modality.to_sound(frames, data)
    if sound is None:
        raise InputError(f"{modality.name}: makes no sound")
    return Voiced(frames, sound)


def _made(
    model: Disentangler, pairs: Sequence[tuple[Chunked, Chunked]], *, first: int, seed: int
) -> list[tuple[Tensor, Tensor]]:
    """Reconstruction and swap of each pair ``(voice, words)``, as whole utterances."""
    words = torch.cat([b.chunks for _, b in pairs]).to(model.device)
    turns = [a.chunks[torch.arange(len(b.chunks)) % len(a.chunks)] for a, b in pairs]
    voices = torch.cat(turns).to(model.device)
    # A stream of its own for each chunk, whatever the company: at most 2^20 chunks an utterance.
    streams = [((first + n) << 20) + i for n, (_, b) in enumerate(pairs) for i in range(len(b.chunks))]
    rebuilt = model.reconstruct(words, generator=row_sources(seed, streams)).cpu()
    swapped = model.swap(voices, words, generator=row_sources(seed, streams)).cpu()
    made, start = [], 0
    for _, b in pairs:
        stop = start + len(b.chunks)
        made.append((b.join(rebuilt[start:stop]), b.join(swapped[start:stop])))
        start = stop
    return made
