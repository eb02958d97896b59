"""The modality that a person's files are of."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from seqdis.core.data.discovery import find_inputs
from seqdis.core.data.tar_shards import is_there
from seqdis.core.errors import InputError
from seqdis.core.installed import usable_modalities
from seqdis.core.modality import Modality

__all__ = ["modality_of"]


def modality_of(inputs: Sequence[Path]) -> Modality:
    """The installed modality that reads most of some files.

    Files that a modality reads beside its own (:attr:`~seqdis.core.modality.Modality.incidental`) count only where
    none reads as many of its own.

    Args:
        inputs: Files and folders.

    Raises:
        InputError: One is missing, no modality reads any of them, or two read equally many.
    """
    for path in inputs:
        if not is_there(path):
            raise InputError(f"{path}: no such file or folder")
    usable, broken = usable_modalities()
    counts: dict[str, tuple[int, int]] = {}
    for modality in usable:
        with contextlib.suppress(InputError):
            paths = find_inputs(modality, inputs).paths
            own = [path for path in paths if not path.name.lower().endswith(modality.incidental)]
            counts[modality.name] = len(own), len(paths)
    named = ", ".join(str(path) for path in inputs)
    if not counts:
        kinds = "; ".join(
            f"{m.name} reads {', '.join(kind for kind in m.reads if kind != '/')}" for m in usable
        )
        reasons = "".join(f"; {name} cannot be used: {reason}" for name, reason in broken.items())
        raise InputError(
            f"{named}: holds no file that an installed modality reads; {kinds or 'none is installed'}{reasons}"
        )
    most = max(counts.values())
    best = sorted(name for name, count in counts.items() if count == most)
    if len(best) > 1:
        raise InputError(
            f"{named}: {' and '.join(best)} read {most[1]} files each; --modality says which it is"
        )
    return next(modality for modality in usable if modality.name == best[0])
