"""Factors: the value that every method returns, and the algebra on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from seqdis.core.batch_index import (
    BatchIndex,
    batch_index,
    select_entries,
    select_names,
    select_rows,
    select_stamps,
)
from seqdis.core.errors import InputError, unknown_name
from seqdis.core.factor_arrays import FactorArrays, to_array
from seqdis.core.factor_file import FactorFile, read_factor_file, write_factor_file
from seqdis.core.factor_tables import FactorTables, to_tables
from seqdis.core.sequences import Sequences
from seqdis.core.stamps import check_stamps

__all__ = ["SIDES", "Extra", "Factors", "Side"]

Side = Literal["static", "dynamic"]
SIDES: tuple[Side, Side] = ("static", "dynamic")


@dataclass(frozen=True)
class Extra:
    """A further factor of a method (codes, a posterior, an action) and the side it moves with.

    Attributes:
        value: Any tensor whose first dimension is the batch, ``(B, ...)``.
        side: The factor that a swap carries it along with.
    """

    value: Tensor
    side: Side


@dataclass(frozen=True)
class Factors:
    """One static factor a sequence and one dynamic factor a step: ``x^{1:V} -> (s, d^{1:V})``.

    Attributes:
        static: Static factor (who or what), ``(B, *S)``; ``(B, V, S)`` for the ablation that has one for each step.
        dynamic: Dynamic factor (what happens) of each step, ``(B, V, *D)``.
        extras: Further factors of the method by name, each of which moves with one side in a swap.
        keys: A name for each sequence, or none.
        stamps: Time stamp of each step, ``(B, V)``, numbers or ``datetime64``; None where it is not known.
        mask: True where a step exists (False: padding), ``(B, V)``, or None: all of them do.
        labels: Labels of each sequence ``(B,)`` or of each step ``(B, V)``, by name: numpy arrays of names of classes,
            or of numbers.

    Raises:
        InputError: The batch sizes of the parts differ, ``dynamic`` has no step dimension, or the mask, the stamps or
            the labels do not fit.
    """

    static: Tensor
    dynamic: Tensor
    extras: Mapping[str, Extra] = field(default_factory=dict)
    keys: Sequence[str] = ()
    stamps: np.ndarray | None = None
    mask: Tensor | None = None
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.dynamic.ndim < 3 or self.static.ndim < 2:
            raise InputError(
                "factors need static (B, *S) and dynamic (B, V, *D); got "
                f"{tuple(self.static.shape)} and {tuple(self.dynamic.shape)}"
            )
        sizes = {"static": len(self.static), "dynamic": len(self.dynamic)}
        sizes |= {name: len(extra.value) for name, extra in self.extras.items()}
        if len(set(sizes.values())) > 1:
            raise InputError(f"factors of one batch need equal batch sizes; got {sizes}")
        if self.keys and len(self.keys) != len(self):
            raise InputError(f"{len(self)} sequences need as many keys; got {len(self.keys)}")
        shape = tuple(self.dynamic.shape[:2])
        if self.stamps is not None:
            check_stamps(self.stamps, shape, "factors")
        if self.mask is not None and tuple(self.mask.shape) != shape:
            raise InputError(f"factors: mask of shape {tuple(self.mask.shape)}; allowed: {shape}")
        for name, value in self.labels.items():
            if value.shape not in (shape[:1], shape):
                raise InputError(
                    f"factors: label {name!r} of shape {value.shape}; allowed: {shape[:1]} or {shape}"
                )
        object.__setattr__(self, "keys", tuple(self.keys))
        object.__setattr__(self, "labels", MappingProxyType(dict(self.labels)))
        object.__setattr__(self, "extras", MappingProxyType(dict(self.extras)))

    def __len__(self) -> int:
        return len(self.static)

    @property
    def steps(self) -> int:
        """The number of steps, V."""
        return self.dynamic.shape[1]

    def _map(self, function: Callable[[Tensor], Tensor], **changes: Any) -> Factors:
        return replace(
            self,
            static=function(self.static),
            dynamic=function(self.dynamic),
            extras={name: Extra(function(e.value), e.side) for name, e in self.extras.items()},
            mask=None if self.mask is None else function(self.mask),
            **changes,
        )

    def __getitem__(self, index: BatchIndex) -> Factors:
        """Select sequences of the batch; an integer keeps the batch dimension."""
        chosen = batch_index(index, len(self))
        return self._map(
            lambda value: select_rows(value, chosen),
            keys=select_names(self.keys, chosen),
            stamps=select_stamps(self.stamps, chosen),
            labels={name: select_entries(value, chosen) for name, value in self.labels.items()},
        )

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Factors:
        """Move every part to a device, a floating type, or both."""
        return self._map(
            lambda value: value.to(device=device, dtype=dtype if value.is_floating_point() else None)
        )

    def parts(self) -> dict[str, Tensor]:
        """The static factor, the dynamic factor and the extras, by name."""
        return {"static": self.static, "dynamic": self.dynamic} | {n: e.value for n, e in self.extras.items()}

    def detach(self) -> Factors:
        """The same values without their graph."""
        return self._map(Tensor.detach)

    def with_index_of(self, sequences: Sequences) -> Factors:
        """The same factors with the keys, stamps, mask and labels of the sequences that they were encoded from."""
        return replace(
            self,
            keys=tuple(sequences.keys),
            stamps=sequences.stamps,
            mask=sequences.mask,
            labels={
                name: to_array(value) for name, value in {**sequences.labels, **sequences.step_labels}.items()
            },
        )

    def mix(self, other: Factors) -> Factors:
        """Static side of ``self`` with the dynamic side of ``other``: ``(s, d̂^{1:V})``.

        The keys are those of ``self``, the stamps and the mask those of ``other``. A mixture has no labels.

        Args:
            other: Factors that the dynamics are taken from, of as many sequences as ``self``; or either has one.

        Raises:
            InputError: Neither batch size is 1 and they differ.
        """
        size = max(len(self), len(other))
        if {len(self), len(other)} - {1, size}:
            raise InputError(f"mix needs equal batches or a batch of 1; got {len(self)} and {len(other)}")

        def spread(value: Tensor) -> Tensor:
            return value.expand(size, *value.shape[1:])

        extras = {n: Extra(spread(e.value), e.side) for n, e in self.extras.items() if e.side == "static"}
        extras |= {n: Extra(spread(e.value), e.side) for n, e in other.extras.items() if e.side == "dynamic"}
        stamps = other.stamps
        return Factors(
            spread(self.static),
            spread(other.dynamic),
            extras,
            keys=self.keys if len(self) == size else tuple(self.keys) * size,
            stamps=None if stamps is None else np.broadcast_to(stamps, (size, stamps.shape[1])),
            mask=None if other.mask is None else spread(other.mask),
        )

    def swap(self, other: Factors) -> tuple[Factors, Factors]:
        """Both mixtures, ``((s, d̂), (ŝ, d))``; applied to its own result it gives the inputs back."""
        return self.mix(other), other.mix(self)

    def replace_extra(self, name: str, other: Factors) -> Factors:
        """``self`` with one extra of ``other``, and nothing else changed.

        What a method derives from an extra (poses from an action) is made anew by
        :func:`seqdis.core.capabilities.mix_extra` instead.

        Args:
            name: Name of the extra.
            other: Factors that the extra is taken from, of as many sequences as ``self``, or of one.

        Raises:
            InputError: One of the two has no such extra, or the batches do not fit.
        """
        for factors in (self, other):
            if name not in factors.extras:
                raise unknown_name("extra of these factors", name, factors.extras)
        if len(other) not in (1, len(self)):
            raise InputError(
                f"replace_extra needs equal batches or one to lend; got {len(self)} and {len(other)}"
            )
        extra = other.extras[name]
        value = extra.value.expand(len(self), *extra.value.shape[1:])
        return replace(self, extras={**self.extras, name: Extra(value, extra.side)})

    def flatten(self) -> Tensor:
        """The joint vector ``(s, d^{1:V})`` of every sequence, ``(B, S + V·D)`` (DiffSDA, App. B.3)."""
        return torch.cat([self.static.flatten(1), self.dynamic.flatten(1)], dim=1)

    def unflatten(self, vector: Tensor) -> Factors:
        """Read joint vectors ``(N, S + V·D)`` back into factors of the shape of ``self``.

        A vector belongs to no sequence of ``self``: the result has no keys, stamps, mask, or labels.

        Raises:
            InputError: The vector's width is not ``S + V·D``.
        """
        static, dynamic = self.static.shape[1:], self.dynamic.shape[1:]
        widths = [static.numel(), dynamic.numel()]
        if vector.ndim != 2 or vector.shape[1] != sum(widths):
            raise InputError(f"a joint vector needs shape (N, {sum(widths)}); got {tuple(vector.shape)}")
        s, d = vector.split(widths, dim=1)
        return Factors(s.unflatten(1, static), d.unflatten(1, dynamic))

    @staticmethod
    def cat(parts: Sequence[Factors]) -> Factors:
        """Join batches along the first dimension.

        Raises:
            InputError: ``parts`` is empty, or some lack extras, keys, stamps or labels that others have.
        """
        if not parts:
            raise InputError("cat needs at least one Factors; got none")
        if len({frozenset(part.extras) for part in parts}) > 1:
            raise InputError(
                f"cat needs the same extras in every part; got {[sorted(p.extras) for p in parts]}"
            )
        for what, has in (
            ("keys", [bool(p.keys) for p in parts]),
            ("stamps", [_dated(p) for p in parts]),
            ("the same labels", [tuple(sorted(p.labels)) for p in parts]),
        ):
            if len(set(has)) > 1:
                raise InputError(f"cat needs {what} in every part or in none; got {has}")
        first, mask = parts[0], None
        if any(part.mask is not None for part in parts):
            mask = torch.cat(
                [
                    p.dynamic.new_ones(p.dynamic.shape[:2], dtype=torch.bool) if p.mask is None else p.mask
                    for p in parts
                ]
            )
        extras = {
            name: Extra(torch.cat([part.extras[name].value for part in parts]), extra.side)
            for name, extra in first.extras.items()
        }
        return Factors(
            torch.cat([part.static for part in parts]),
            torch.cat([part.dynamic for part in parts]),
            extras,
            keys=tuple(key for part in parts for key in part.keys),
            stamps=np.concatenate([p.stamps for p in parts if p.stamps is not None])
            if _dated(first)
            else None,
            mask=mask,
            labels={name: np.concatenate([part.labels[name] for part in parts]) for name in first.labels},
        )

    def numpy(self) -> FactorArrays:
        """The same values as numpy arrays, without their graph."""
        return FactorArrays(
            static=to_array(self.static),
            dynamic=to_array(self.dynamic),
            extras={name: to_array(extra.value) for name, extra in self.extras.items()},
            keys=tuple(self.keys),
            stamps=None if self.stamps is None else np.array(self.stamps),
            mask=None if self.mask is None else to_array(self.mask),
            labels={name: np.array(value) for name, value in self.labels.items()},
        )

    def to_pandas(self) -> FactorTables:
        """Two data frames: a row a sequence, and a row a step that exists.

        Raises:
            InputError: pandas is not installed.
        """
        return to_tables(self.numpy(), sides={name: extra.side for name, extra in self.extras.items()})

    def save(self, path: str | Path) -> None:
        """Write one safetensors file that appears whole or not at all; see :class:`FactorFile`.

        Raises:
            InputError: The file's suffix is not ``.safetensors``.
        """
        if Path(path).suffix != ".safetensors":
            raise InputError(f"{path}: factors are saved as a .safetensors file; got {Path(path).suffix!r}")
        write_factor_file(Path(path), self.content())

    def content(self) -> FactorFile:
        """All parts under the names that they have in a file."""
        tensors = {"static": self.static, "dynamic": self.dynamic}
        tensors |= {f"extra.{e.side}.{name}": e.value for name, e in self.extras.items()}
        if self.mask is not None:
            tensors["mask"] = self.mask
        return FactorFile(tensors, self.keys, self.stamps, self.labels)

    @staticmethod
    def load(path: str | Path) -> Factors:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: The file is missing, damaged, or holds something else.
        """
        content = read_factor_file(Path(path))
        extras = {}
        for name, value in content.tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "extra":
                side, _, label = rest.partition(".")
                extras[label] = Extra(value, "static" if side == "static" else "dynamic")
        return Factors(
            content.tensors["static"],
            content.tensors["dynamic"],
            extras,
            keys=content.keys,
            stamps=content.stamps,
            mask=content.tensors.get("mask"),
            labels=content.labels,
        )


def _dated(factors: Factors) -> bool:
    return factors.stamps is not None
