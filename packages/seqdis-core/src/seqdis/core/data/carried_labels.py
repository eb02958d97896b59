"""The labels of a folder's files, for the files that were made of them."""

from __future__ import annotations

from collections.abc import Mapping

from seqdis.core.data.folder_labels import LABELS_FILE, FolderLabels, read_folder_labels
from seqdis.core.data.prepared_record import PreparedRecord
from seqdis.core.files import replace_with_json

__all__ = ["carry_labels"]


def carry_labels(labels: FolderLabels, targets: Mapping[str, str], record: PreparedRecord) -> None:
    """Write the labels of what is prepared under its new names; those of files whose source is gone stay.

    Args:
        labels: The labels of the sources.
        targets: The path of what is made of each source, by the source's path.
        record: The record of the folder of results.
    """
    factors = {name: label.factor for name, label in labels.labels.items()}
    before = read_folder_labels(record.folder)
    clips: dict[str, Mapping[str, str]] = {}
    if before is not None and {name: label.factor for name, label in before.labels.items()} == factors:
        clips = {key: row for key, row in before.clips.items() if key.partition("#")[0] in record.files}
    for key, row in labels.clips.items():
        name, hash_, part = key.partition("#")
        if targets.get(name) in record.files:
            clips[f"{targets[name]}{hash_}{part}"] = row
    replace_with_json(record.folder / LABELS_FILE, {"labels": factors, "clips": clips})
