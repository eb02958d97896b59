"""The recordings of a folder shared out among training, validation and test."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from seqdis.core.data.recording import Recording
from seqdis.core.data.recording_part import part_in_time
from seqdis.core.errors import InputError

__all__ = ["SPLITS", "RecordingSplits", "group_of", "split_recordings"]

SPLITS = ("train", "val", "test")
FEW = 10
"""Number of recordings below which they are cut in time."""


@dataclass(frozen=True)
class RecordingSplits:
    """Recordings by split.

    Attributes:
        parts: The recordings of each split, by its name; one may be missing where folders name the splits.
        rule: The rule by which they were shared out, in a sentence.
    """

    parts: dict[str, tuple[Recording, ...]]
    rule: str


def group_of(recording: Recording, group: str) -> str:
    """The group that a recording belongs to.

    Args:
        recording: The recording whose group is asked for.
        group: ``"folder"``: the first folder of its key; ``"parent"``: the folder that holds its file; else the
            name of one of its labels.

    Raises:
        InputError: The recording has no such label, or no such folder.
    """
    path = Path(recording.key.partition("#")[0])
    if group in ("folder", "parent"):
        if len(path.parts) < 2:
            raise InputError(
                f"group={group}: {recording.key} lies in no folder; allowed: files in folders, a folder a group"
            )
        return path.parts[0] if group == "folder" else str(path.parent)
    labels = recording.labels or {}
    if group not in labels:
        allowed = ", ".join(["folder", "parent", *labels])
        raise InputError(f"group={group}: {recording.key} has no such label; allowed: {allowed}")
    return labels[group]


def split_recordings(
    recordings: Sequence[Recording], *, length: int, group: str | None = None
) -> RecordingSplits:
    """Share out recordings: 80% for training, 10% for validation, 10% for the test.

    - Where keys begin with the folders ``train``, ``val`` and ``test``, these are the splits.
    - With ``group``, by a hash of each group's name, and all recordings of a group together. A split that is empty
      then gets the group with the largest hash of the largest split.
    - Otherwise by a hash of each recording's key: it stays in its split when others come or go.
    - With fewer than ten recordings, or where that leaves a split empty, in time: the first 80% of every
      recording's steps train, the next 10% validate, the last 10% test, as far as they hold a whole sequence; a
      short recording serves every split.

    Args:
        recordings: The recordings to share out.
        length: Number of steps of a sequence, V.
        group: The kind of group; see :func:`group_of`.

    Raises:
        InputError: There are fewer than three groups, or a recording belongs to none.
    """
    named = _of_folders(recordings)
    if named is not None:
        return RecordingSplits(named, "the folders " + ", ".join(named))
    if group is not None:
        return _by_group(recordings, group)
    parts = {name: tuple(one for one in recordings if _split_of(one.key) == name) for name in SPLITS}
    # All splits in one way: a file that trains whole must not be cut in time for the test.
    if len(recordings) >= FEW and all(parts.values()):
        return RecordingSplits(parts, "each recording by itself, by a hash of its name: 80% / 10% / 10%")
    parts = {name: tuple(_cut_in_time(one, name, length) for one in recordings) for name in SPLITS}
    return RecordingSplits(parts, "in time: the first 80% of each recording train, 10% validate, 10% test")


def _of_folders(recordings: Sequence[Recording]) -> dict[str, tuple[Recording, ...]] | None:
    tops = [Path(one.key).parts[0] if len(Path(one.key).parts) > 1 else "" for one in recordings]
    if "train" not in tops:
        return None
    return {
        name: tuple(one for one, top in zip(recordings, tops, strict=True) if top == name)
        for name in SPLITS
        if name in tops
    }


def _by_group(recordings: Sequence[Recording], group: str) -> RecordingSplits:
    of = [group_of(one, group) for one in recordings]
    names = sorted(set(of), key=_share)
    if len(names) < len(SPLITS):
        raise InputError(f"group={group}: {len(names)} groups ({', '.join(names)}); allowed: 3 or more")
    split = {name: _split_of(name) for name in names}
    for empty in SPLITS:
        if empty not in split.values():
            largest = max(SPLITS, key=lambda name: sum(value == name for value in split.values()))
            split[max((n for n in names if split[n] == largest), key=_share)] = empty
    parts = {
        name: tuple(one for one, own in zip(recordings, of, strict=True) if split[own] == name)
        for name in SPLITS
    }
    counts = " / ".join(str(sum(value == name for value in split.values())) for name in SPLITS)
    return RecordingSplits(parts, f"by {group}, {len(names)} groups, each in one split: {counts}")


def _share(name: str) -> float:
    """A number in [0, 1) that the name alone decides."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) / 2**32


def _split_of(name: str) -> str:
    share = _share(name)
    return "train" if share < 0.8 else "val" if share < 0.9 else "test"


def _cut_in_time(recording: Recording, split: str, length: int) -> Recording:
    bounds = {"train": (0, 0.8), "val": (0.8, 0.9), "test": (0.9, 1.0)}[split]
    first, last = (round(recording.steps * share) for share in bounds)
    return recording if last - first < length else part_in_time(recording, first, last)
