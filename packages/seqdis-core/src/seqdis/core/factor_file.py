"""The file of factors: one safetensors with a line of JSON as its metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_tensors
from seqdis.core.finite import check_finite
from seqdis.core.reading import readable
from seqdis.core.stamps import common_stamps, convert_stamps

__all__ = [
    "FactorDescription",
    "FactorFile",
    "pack",
    "read_description",
    "read_factor_file",
    "write_factor_file",
]

_FORMAT = "seqdis.factors.2"


@dataclass(frozen=True)
class FactorFile:
    """The content of a file of factors.

    Attributes:
        tensors: ``static``, ``dynamic``, ``extra.<side>.<name>``, and ``mask`` where there is one.
        keys: A name for each sequence, or none.
        stamps: Time stamp of each step, ``(B, V)``, or None.
        labels: Labels of each sequence ``(B,)`` or step ``(B, V)``, by name: names of classes, or numbers.
    """

    tensors: Mapping[str, Tensor]
    keys: Sequence[str] = ()
    stamps: np.ndarray | None = None
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class FactorDescription:
    """The metadata of a file of factors: all that its tensors do not say themselves.

    Attributes:
        keys: A name for each sequence, or none.
        stamps: Type of the time stamps, or None.
        labels: Names of the classes of each label, in order; None for a label of plain numbers.
        mask: Whether some steps are padding.
        left_out: Files that were not used: path, reason and detail of each.
    """

    keys: Sequence[str] = ()
    stamps: np.dtype | None = None
    labels: Mapping[str, Sequence[str] | None] = field(default_factory=dict)
    mask: bool = False
    left_out: Sequence[Sequence[str]] = ()

    @classmethod
    def of(cls, content: FactorFile) -> FactorDescription:
        """The description of some factors."""
        return cls(
            keys=content.keys,
            stamps=None if content.stamps is None else content.stamps.dtype,
            labels={
                name: np.unique(value).tolist() if value.dtype.kind == "U" else None
                for name, value in content.labels.items()
            },
            mask="mask" in content.tensors,
        )

    @classmethod
    def join(cls, parts: Sequence[FactorDescription]) -> FactorDescription:
        """The description of several files as one; it does not say what was left out.

        Raises:
            InputError: Some have other labels or another kind of time stamps.
        """
        first = parts[0].labels
        for part in parts:
            if part.labels.keys() != first.keys():
                raise InputError(
                    f"labels {sorted(first)} in some recordings, {sorted(part.labels)} in others"
                )
        classes: dict[str, Sequence[str] | None] = {}
        for name in first:
            named = [part.labels[name] for part in parts]
            known = [one for one in named if one is not None]
            if known and len(known) < len(named):
                raise InputError(f"label {name!r} is a class in some recordings and a number in others")
            classes[name] = sorted({one for names in known for one in names}) if known else None
        return cls(
            keys=tuple(key for part in parts for key in part.keys),
            stamps=common_stamps([part.stamps for part in parts]),
            labels=classes,
            mask=any(part.mask for part in parts),
        )

    def metadata(self) -> dict[str, str]:
        """The metadata of the file: one entry, for safetensors writes several in an order that differs each time."""
        stamps = None if self.stamps is None else str(self.stamps)
        described: dict[str, Any] = {"keys": list(self.keys), "stamps": stamps}
        if self.labels:
            described["labels"] = dict(self.labels)
        if self.left_out:
            described["left_out"] = [list(left) for left in self.left_out]
        return {_FORMAT: json.dumps(described)}


def pack(content: FactorFile, description: FactorDescription) -> dict[str, Tensor]:
    """All parts as tensors: times as integers, classes as their numbers, and a mask where the description has one."""
    tensors = dict(content.tensors)
    shape = tuple(tensors["dynamic"].shape[:2])
    if description.mask and "mask" not in tensors:
        tensors["mask"] = torch.ones(shape, dtype=torch.bool)
    if description.stamps is not None:
        stamps = np.ascontiguousarray(convert_stamps(content.stamps, description.stamps, shape))
        tensors["stamps"] = torch.from_numpy(stamps.view(np.int64) if stamps.dtype.kind == "M" else stamps)
    for name, classes in description.labels.items():
        value = content.labels[name]
        numbers = value if classes is None else np.searchsorted(classes, value)
        tensors[f"label.{name}"] = torch.from_numpy(np.ascontiguousarray(numbers))
    return tensors


def write_factor_file(path: Path, content: FactorFile, *, left_out: Sequence[Sequence[str]] = ()) -> None:
    """Write a file that appears whole or not at all; times are kept as integers with their unit beside.

    Args:
        path: Path of the file.
        content: The factors to write; without tensors, the file says what was left out and no more.
        left_out: Files that were not used: path, reason and detail of each.

    Raises:
        InputError: A factor is not finite, or the file cannot be written.
    """
    description = replace(FactorDescription.of(content), left_out=left_out)
    _check_finite(content.tensors, path)
    tensors = pack(content, description) if content.tensors else {}
    replace_with_tensors(path, tensors, description.metadata(), finite=False)  # unknown time stamps are NaN


def _check_finite(tensors: Mapping[str, Tensor], path: Path) -> None:
    for name, value in tensors.items():
        if value.is_floating_point():
            check_finite(value, f"{path}: {name}")


def _describe(metadata: Mapping[str, str], names: Sequence[str]) -> FactorDescription:
    described = json.loads(metadata[_FORMAT])
    return FactorDescription(
        keys=described["keys"],
        stamps=np.dtype(described["stamps"]) if described["stamps"] else None,
        labels=described.get("labels", {}),
        mask="mask" in names,
        left_out=described.get("left_out", ()),
    )


def read_description(path: Path) -> FactorDescription:
    """Read what a file of factors says of its tensors, and none of them; one without any says what was left out.

    Raises:
        InputError: The file is missing, damaged, or holds something else.
    """
    return _read(path, tensors=False).description


@dataclass(frozen=True)
class _Content:
    description: FactorDescription
    tensors: dict[str, Tensor]


def _read(path: Path, *, tensors: bool) -> _Content:
    with readable(path, "a factors file"):
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            if _FORMAT not in metadata:
                names = ", ".join(sorted(metadata)) or "nothing"
                raise InputError(f"{path}: not a factors file; its metadata name {names}, not {_FORMAT}")
            held = list(file.keys())
            values: dict[str, Tensor] = {name: file.get_tensor(name) for name in held} if tensors else {}
        description = _describe(metadata, held)
    needed = ["static", "dynamic", *(["stamps"] if description.stamps is not None else [])]
    needed += [f"label.{name}" for name in description.labels]
    absent = [name for name in needed if name not in held]
    if absent and (tensors or not description.left_out):
        raise InputError(f"{path}: holds no {absent[0]!r}; it is damaged")
    return _Content(description, values)


def read_factor_file(path: Path) -> FactorFile:
    """Read what :func:`write_factor_file` wrote.

    Raises:
        InputError: The file is missing, damaged, or holds something else, or a factor is not finite.
    """
    content = _read(path, tensors=True)
    description, tensors = content.description, content.tensors
    stamps, unit = None, description.stamps
    with readable(path, "a factors file"):
        if unit is not None:
            stamps = tensors.pop("stamps").numpy()
            stamps = stamps.view(unit) if unit.kind == "M" else stamps
        labels = {}
        for name, classes in description.labels.items():
            numbers = tensors.pop(f"label.{name}").numpy()
            labels[name] = numbers if classes is None else np.array(classes, dtype=np.str_)[numbers]
    _check_finite(tensors, path)
    return FactorFile(tensors, description.keys, stamps, labels)
