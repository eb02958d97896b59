"""Lists of pairs kept in a file, so that every method and every repetition swaps the same clips."""

from __future__ import annotations

import logging
from pathlib import Path

from seqdis.core.analysis import fixed_pairs
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json
from seqdis.core.reading import read_json, readable

__all__ = ["kept_pairs"]

_SCHEMA = "seqdis.pairs.1"
_HINT = "; without it new ones are drawn"
_logger = logging.getLogger(__name__)


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
        kept = read_json(path, kind="a list of pairs", hint=_HINT)
        with readable(path, "a list of pairs", hint=_HINT):
            schema, where = kept["schema"], (kept["dataset"], kept["clips"], kept["seed"])
            pairs = [(int(static), int(dynamic)) for static, dynamic in kept["pairs"]]
        if schema != _SCHEMA:
            raise InputError(f"{path}: schema {schema!r:.80}; this version reads {_SCHEMA}")
        if where == (dataset, clips, seed) and len(pairs) >= wanted:
            outside = [pair for pair in pairs if not all(0 <= index < clips for index in pair)]
            if outside:
                raise InputError(f"{path}: pair {outside[0]}; allowed: clips 0 to {clips - 1}")
            return pairs[:wanted]
    made = fixed_pairs(clips, seed=seed, count=count)
    about = {"schema": _SCHEMA, "dataset": dataset, "clips": clips, "seed": seed}
    try:
        replace_with_json(path, {**about, "pairs": [list(pair) for pair in made]})
    except InputError as error:
        _logger.warning("the pairs are not kept: %s", error)
    return made
