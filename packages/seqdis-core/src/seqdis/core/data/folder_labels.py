"""The file labels.json, which holds the labels of each clip of a folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.core.printable_names import printable
from seqdis.core.reading import read_json

__all__ = ["LABELS_FILE", "FolderLabels", "read_folder_labels"]

LABELS_FILE = "labels.json"


@dataclass(frozen=True)
class FolderLabels:
    """The labels of a folder's clips.

    Attributes:
        labels: The meaning of each label; classes are in the order of their names.
        clips: The class of each label, by the clip's path below the folder.
    """

    labels: Mapping[str, Label]
    clips: Mapping[str, Mapping[str, str]]

    def of(self, key: str) -> Mapping[str, str]:
        """The classes of one clip's labels, by the label's name; those of its file where that holds several.

        Raises:
            InputError: The file has no labels of this clip.
        """
        name = key if key in self.clips else key.partition("#")[0]
        if name not in self.clips:
            raise InputError(f"{LABELS_FILE}: says nothing of {key!r}; every clip needs a line")
        return self.clips[name]


def read_folder_labels(root: Path) -> FolderLabels | None:
    """Read ``root/labels.json``; None where there is none.

    It holds ``{"labels": {"subject": "static", "action": "dynamic"}, "clips": {"a1_s1_t1.avi": {"subject": "s1",
    "action": "wave"}, …}}``: the factor that each label belongs to, and each clip's classes by its path.

    Raises:
        InputError: The file cannot be read as JSON, a factor is neither ``static`` nor ``dynamic``, or a clip
            lacks a label or has one that is not declared.
    """
    path = root / LABELS_FILE
    if not path.is_file():
        return None
    content: Any = read_json(path)
    if not isinstance(content, dict) or not all(
        isinstance(content.get(k), dict) for k in ("labels", "clips")
    ):
        raise InputError(f"{path}: must hold two objects, 'labels' and 'clips'")
    factors, clips = content["labels"], content["clips"]
    for name, factor in factors.items():
        if factor not in ("static", "dynamic"):
            raise InputError(f"{path}: label {name!r} is of factor {factor!r}; allowed: static, dynamic")
    for key, row in clips.items():
        if not isinstance(row, dict) or row.keys() != factors.keys():
            received = sorted(row) if isinstance(row, dict) else row
            raise InputError(f"{path}: clip {key!r} has labels {received}; declared: {sorted(factors)}")
    classes = {name: sorted({printable(str(row[name])) for row in clips.values()}) for name in factors}
    return FolderLabels(
        {printable(name): Label(tuple(classes[name]), factor) for name, factor in factors.items()},
        {
            printable(key): {printable(name): printable(str(row[name])) for name in factors}
            for key, row in clips.items()
        },
    )
