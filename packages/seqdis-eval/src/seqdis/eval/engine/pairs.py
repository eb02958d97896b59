"""Lists of pairs kept in a file, so that every method and every repetition swaps the same clips."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path

from seqdis.core.analysis import fixed_pairs
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json
from seqdis.core.reading import read_json, readable

__all__ = ["kept_pairs", "listed_pairs"]

_SCHEMA = "seqdis.pairs.1"
_HINT = "; without it new ones are drawn"
_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _PairList:
    """Pairs ``(static, dynamic)`` of clips of a split of ``clips`` clips, drawn with ``seed``."""

    dataset: str
    clips: int
    seed: int
    pairs: list[tuple[int, int]]


def _read(path: Path, *, hint: str = "") -> _PairList:
    kept = read_json(path, kind="a list of pairs", hint=hint)
    with readable(path, "a list of pairs", hint=hint):
        schema, about = kept["schema"], (kept["dataset"], int(kept["clips"]), int(kept["seed"]))
        pairs = [(int(static), int(dynamic)) for static, dynamic in kept["pairs"]]
    if schema != _SCHEMA:
        raise InputError(f"{path}: schema {schema!r:.80}; this version reads {_SCHEMA}")
    outside = [pair for pair in pairs if not all(0 <= index < about[1] for index in pair)]
    if outside:
        raise InputError(f"{path}: pair {outside[0]}; allowed: clips 0 to {about[1] - 1}")
    return _PairList(*about, pairs)


def listed_pairs(path: Path, *, dataset: str, clips: int) -> list[tuple[int, int]]:
    """All pairs of a list that somebody gives, such as ``benchmarks/pairs/sprites.json``.

    Args:
        path: A JSON file, of the form that :func:`kept_pairs` writes.
        dataset: Name of the dataset.
        clips: Number of clips in the split.

    Raises:
        InputError: The file is absent, damaged, empty, or of another dataset or split.
    """
    kept = _read(path)
    if (kept.dataset, kept.clips) != (dataset, clips):
        raise InputError(
            f"{path}: pairs of {kept.clips} clips of {kept.dataset}; here are {clips} of {dataset}"
        )
    if not kept.pairs:
        raise InputError(f"{path}: lists no pair; at least 1 is needed")
    return kept.pairs


def kept_pairs(
    path: Path, *, dataset: str, clips: int, seed: int = 0, count: int | None = None
) -> list[tuple[int, int]]:
    """The pairs kept at ``path`` if they are of this dataset, split size and seed, and enough; else new ones.

    New ones are those of :func:`~seqdis.core.analysis.fixed_pairs`, and are written there; where that is not possible,
    a line of the log says so, for the seed gives the same ones again.

    Args:
        path: A JSON file.
        dataset: Name of the dataset.
        clips: Number of clips in the split.
        seed: Seed of a new list.
        count: Number of pairs; one a clip when omitted or larger.

    Raises:
        InputError: The file is damaged, or the split has fewer than two clips.
    """
    wanted = clips if count is None else min(count, clips)
    if path.is_file():
        kept = _read(path, hint=_HINT)
        if (kept.dataset, kept.clips, kept.seed) == (dataset, clips, seed) and len(kept.pairs) >= wanted:
            return kept.pairs[:wanted]
    made = fixed_pairs(clips, seed=seed, count=count)
    about = {"schema": _SCHEMA, "dataset": dataset, "clips": clips, "seed": seed}
    try:
        replace_with_json(path, {**about, "pairs": [list(pair) for pair in made]})
    except InputError as error:
        _logger.warning("the pairs are not kept: %s", error)
    return made
