"""A folder of factors in shards, which may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from seqdis.core.errors import InputError
from seqdis.core.executors.shard_folder import read_index
from seqdis.core.factor_file import FactorDescription, pack, read_description, read_factor_file
from seqdis.core.factors import Factors
from seqdis.core.reading import readable
from seqdis.core.stamps import convert_stamps

__all__ = ["FactorShards", "join_factors"]


@dataclass(frozen=True)
class FactorShards:
    """Files of factors that together are one set, in order.

    Iterating gives the :class:`Factors` of one file after another, all with the same parts.

    Attributes:
        paths: The files, each written by :meth:`Factors.save`.
        description: The content of all of them together: keys, type of the time stamps, classes of the labels.
    """

    paths: Sequence[Path]
    description: FactorDescription

    @classmethod
    def of(cls, paths: Sequence[Path]) -> FactorShards:
        """Some files; their descriptions are read and nothing else.

        Raises:
            InputError: A file cannot be read, or some hold other labels or another kind of time stamps.
        """
        return cls(tuple(paths), FactorDescription.join([read_description(path) for path in paths]))

    @classmethod
    def open(cls, folder: str | Path) -> FactorShards:
        """The folder that ``seqdis encode … --out FOLDER`` leaves.

        Raises:
            InputError: The folder holds no factors, or some of its shards are missing.
        """
        folder = Path(folder)
        index = read_index(folder)
        with readable(folder, "factors"):
            if index["job"] != "encode":
                raise InputError(f"{folder}: holds shards of {index['job']!r}; allowed: of encode")
            if not index["finished"]:
                there = len(list(folder.glob("[0-9]*.safetensors")))
                raise InputError(
                    f"{folder}: {there} of {index['shards']} shards are there; the same seqdis encode goes on"
                )
            files = [folder / shard["file"] for shard in index["contents"]]
        return cls.of(files)

    def __len__(self) -> int:
        """The number of sequences."""
        return len(self.description.keys)

    def __iter__(self) -> Iterator[Factors]:
        return (self._read(path) for path in self.paths)

    def _read(self, path: Path) -> Factors:
        factors = Factors.load(path)
        return _even(factors, self.description)

    def packed(self) -> Iterator[dict[str, torch.Tensor]]:
        """The tensors of one file after another, as a file that held all of them would have them."""
        return (pack(read_factor_file(path), self.description) for path in self.paths)

    def load(self) -> Factors:
        """All factors in memory.

        Raises:
            InputError: A file cannot be read.
        """
        return Factors.cat(list(self))


def _even(factors: Factors, description: FactorDescription) -> Factors:
    """The same factors with stamps and a mask where the description has them."""
    shape = tuple(factors.dynamic.shape[:2])
    changes: dict[str, Any] = {}
    if description.stamps is not None:
        changes["stamps"] = convert_stamps(factors.stamps, description.stamps, shape)
    if description.mask and factors.mask is None:
        changes["mask"] = torch.ones(shape, dtype=torch.bool)
    return replace(factors, **changes)


def join_factors(parts: Sequence[Factors]) -> Factors:
    """Join batches of several recordings, some of which may have no time stamps: NaT or NaN there.

    Raises:
        InputError: Some have other labels, or another kind of time stamps.
    """
    description = FactorDescription.join([FactorDescription.of(part.content()) for part in parts])
    return Factors.cat([_even(part, description) for part in parts])
