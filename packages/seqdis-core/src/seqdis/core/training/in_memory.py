"""Sequences in memory as the datasets of a training: the training set and the held-out set."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.clip import Clip
from seqdis.core.data.random_windows import RandomWindows
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sliding_windows import SlidingWindows
from seqdis.core.errors import InputError
from seqdis.core.random import mix_seed
from seqdis.core.sequences import Sequences

__all__ = ["TrainingSets", "hold_out", "training_sets"]

_HELD_OUT = 0x686F6C64  # keeps this draw apart from those of the training


@dataclass(frozen=True)
class TrainingSets:
    """The datasets of a training.

    Attributes:
        train: The dataset to learn from.
        val: The dataset of the validation loss, or None.
    """

    train: SequenceDataset
    val: SequenceDataset | None


def hold_out(sequences: Sequences, share: float, *, seed: int) -> tuple[Sequences, Sequences | None]:
    """Split off a share of the sequences, drawn by the seed; at least one where there are two or more.

    Of a single sequence the last steps are held out.

    Args:
        sequences: The sequences to split.
        share: Share of the sequences that is held out, in [0, 1).
        seed: Seed of the draw.

    Raises:
        InputError: The share is out of range.
    """
    if not 0 <= share < 1:
        raise InputError(f"val: a share of {share}; allowed: 0 up to, but not including, 1")
    count = len(sequences)
    if share == 0:
        return sequences, None
    if count == 1:
        return _split_steps(sequences, share)
    held = min(count - 1, max(1, round(share * count)))
    order = torch.randperm(count, generator=torch.Generator().manual_seed(mix_seed(seed, _HELD_OUT)))
    return sequences[order[held:].sort().values], sequences[order[:held].sort().values]


def _split_steps(sequences: Sequences, share: float) -> tuple[Sequences, Sequences | None]:
    total = int(sequences.lengths[0])
    kept = total - round(share * total)
    return (
        (sequences, None) if kept == total else (_steps(sequences, 0, kept), _steps(sequences, kept, total))
    )


def _steps(sequences: Sequences, start: int, stop: int) -> Sequences:
    observed = sequences.observed
    return Sequences(
        sequences.x[:, start:stop],
        observed=None if observed is None else observed[:, start:stop],
        keys=sequences.keys,
    )


def training_sets(
    sequences: Sequences, val: Sequences | float, *, length: int | None = None, seed: int = 0
) -> TrainingSets:
    """Datasets of the sequences whole, padded to one length, or of windows of them.

    Args:
        sequences: The sequences to learn from.
        val: Sequences for the validation loss, or the share of ``sequences`` that is held out for it.
        length: Number of steps of a window, V; a window of each sequence is drawn anew whenever it is read.
            Whole sequences when omitted.
        seed: Seed of the held-out share and of the windows.

    Raises:
        InputError: No sequence is as long as a window, sequences have a single step, or the share is out of range.
    """
    if isinstance(val, Sequences):
        train, held = sequences, val
    elif length is None and len(sequences) == 1:
        train, held = sequences, None  # too short to be split
    else:
        train, held = hold_out(sequences, val, seed=seed)
    if length is not None:
        return _windows(train, held, length, seed)
    if max(train.steps, 0 if held is None else held.steps) < 2:
        raise InputError("data: sequences of 1 step; allowed: 2 or more, for one shows no dynamics")
    if held is None:
        return TrainingSets(_whole(train), None)
    joined = Sequences.cat([_bare(train), _bare(held)])  # pads both to one length
    return TrainingSets(_whole(joined[: len(train)]), _whole(joined[len(train) :]))


def _bare(sequences: Sequences) -> Sequences:
    keys = sequences.keys or [f"{i:06d}" for i in range(len(sequences))]
    return Sequences(sequences.x, mask=sequences.mask, observed=sequences.observed, keys=keys)


def _whole(sequences: Sequences) -> ArraySequences:
    s = replace(_bare(sequences).to("cpu"), x=sequences.x.detach().cpu())
    return ArraySequences(s.x, keys=s.keys, mask=s.mask, observed=s.observed)


def _windows(train: Sequences, held: Sequences | None, length: int, seed: int) -> TrainingSets:
    clips = _clips(train)
    longest = max(clip.steps for clip in clips)
    if not 2 <= length <= longest:
        raise InputError(
            f"length: {length} steps; allowed: from 2 to those of the longest sequence, {longest}"
        )
    val = None if held is None else SlidingWindows(_clips(held), length)
    return TrainingSets(RandomWindows(clips, length, seed=seed), val)


def _clips(sequences: Sequences) -> list[Clip]:
    """One recording a sequence, without its padding."""
    s = _bare(sequences).to("cpu")
    if s.mask is not None and not torch.equal(
        s.mask, s.mask.sort(dim=1, descending=True, stable=True).values
    ):
        raise InputError("windows need sequences whose padding lies at their end")
    x, observed = s.x.detach(), s.observed
    return [
        Clip(x[i, :steps], str(s.keys[i]), None if observed is None else observed[i, :steps])
        for i, steps in enumerate(s.lengths.tolist())
    ]
