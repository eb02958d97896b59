"""Factors: the value that every method returns, and the algebra on it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from seqdis.core.errors import InputError, unknown_name
from seqdis.core.files import replace_with_tensors

__all__ = ["SIDES", "Extra", "Factors", "Side"]

Side = Literal["static", "dynamic"]
SIDES: tuple[Side, Side] = ("static", "dynamic")

_FORMAT = "seqdis.factors.1"


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
        static: Who or what, ``(B, *S)``; ``(B, V, S)`` for the ablation without sharing.
        dynamic: What happens, ``(B, V, *D)``.
        extras: What a method has besides, each tied to one side.

    Raises:
        InputError: The batch sizes of the parts differ, or ``dynamic`` has no step dimension.
    """

    static: Tensor
    dynamic: Tensor
    extras: Mapping[str, Extra] = field(default_factory=dict)

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
        object.__setattr__(self, "extras", MappingProxyType(dict(self.extras)))

    def __len__(self) -> int:
        return len(self.static)

    @property
    def steps(self) -> int:
        """The number of steps, V."""
        return self.dynamic.shape[1]

    def _map(self, function) -> Factors:  # type: ignore[no-untyped-def]
        extras = {name: Extra(function(e.value), e.side) for name, e in self.extras.items()}
        return Factors(function(self.static), function(self.dynamic), extras)

    def __getitem__(self, index: int | slice | Tensor | Sequence[int]) -> Factors:
        """Select sequences of the batch; an integer keeps the batch dimension."""
        if isinstance(index, int) and not -len(self) <= index < len(self):
            raise IndexError(f"index {index} is out of range for {len(self)} sequences")
        chosen = slice(index, index + 1 or None) if isinstance(index, int) else index
        return self._map(lambda value: value[chosen])

    def to(self, device: torch.device | str | None = None, dtype: torch.dtype | None = None) -> Factors:
        """Move every part to a device, a floating type, or both."""
        return self._map(
            lambda value: value.to(device=device, dtype=dtype if value.is_floating_point() else None)
        )

    def detach(self) -> Factors:
        """The same values without their graph."""
        return self._map(Tensor.detach)

    def mix(self, other: Factors) -> Factors:
        """Static side of ``self`` with the dynamic side of ``other``: ``(s, d̂^{1:V})``.

        Args:
            other: Lends the dynamics; batch ``B`` equal to that of ``self``, or 1 on either side.

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
        return Factors(spread(self.static), spread(other.dynamic), extras)

    def swap(self, other: Factors) -> tuple[Factors, Factors]:
        """Both mixtures, ``((s, d̂), (ŝ, d))``; applied to its own result it gives the inputs back."""
        return self.mix(other), other.mix(self)

    def replace_extra(self, name: str, other: Factors) -> Factors:
        """``self`` with one extra of ``other``; what a model derives from it is :meth:`Disentangler.mix_extra`'s.

        Args:
            name: Of the extra.
            other: Lends it; batch ``B`` equal to that of ``self``, or 1.

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
        lent = other.extras[name]
        value = lent.value.expand(len(self), *lent.value.shape[1:])
        return Factors(self.static, self.dynamic, {**self.extras, name: Extra(value, lent.side)})

    def flatten(self) -> Tensor:
        """The joint vector ``(s, d^{1:V})`` of every sequence, ``(B, S + V·D)`` (DiffSDA, App. B.3)."""
        return torch.cat([self.static.flatten(1), self.dynamic.flatten(1)], dim=1)

    def unflatten(self, vector: Tensor) -> Factors:
        """Read joint vectors ``(N, S + V·D)`` back into factors of the shape of ``self``.

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
            InputError: ``parts`` is empty, or their extras differ.
        """
        if not parts:
            raise InputError("cat needs at least one Factors; got none")
        if len({frozenset(part.extras) for part in parts}) > 1:
            raise InputError(
                f"cat needs the same extras in every part; got {[sorted(p.extras) for p in parts]}"
            )
        first = parts[0]
        extras = {
            name: Extra(torch.cat([part.extras[name].value for part in parts]), extra.side)
            for name, extra in first.extras.items()
        }
        return Factors(
            torch.cat([part.static for part in parts]), torch.cat([part.dynamic for part in parts]), extras
        )

    def save(self, path: str | Path, *, keys: Sequence[str] | None = None) -> None:
        """Write one safetensors file: ``static``, ``dynamic``, ``extra.<side>.<name>``.

        Args:
            path: The file; it appears whole or not at all.
            keys: Names of the sequences, one a row, kept in the file's metadata.
        """
        if keys is not None and len(keys) != len(self):
            raise InputError(f"{len(self)} sequences need as many keys; got {len(keys)}")
        tensors = {"static": self.static, "dynamic": self.dynamic}
        tensors |= {f"extra.{e.side}.{name}": e.value for name, e in self.extras.items()}
        # One entry: safetensors writes several in an order that differs from run to run.
        replace_with_tensors(Path(path), tensors, {_FORMAT: json.dumps(list(keys or []))})

    @staticmethod
    def load(path: str | Path) -> tuple[Factors, list[str]]:
        """Read what :meth:`save` wrote: the factors and the keys (empty when none were given).

        Raises:
            InputError: The file is missing, damaged, or holds something else.
        """
        try:
            with safe_open(str(path), framework="pt") as file:
                metadata = file.metadata() or {}
                if _FORMAT not in metadata:
                    came = ", ".join(sorted(metadata)) or "nothing"
                    raise InputError(f"{path}: not a factors file; its metadata name {came}, not {_FORMAT}")
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (a file is no dict)
        except (OSError, SafetensorError) as error:
            raise InputError(f"{path}: cannot be read as a factors file: {error}") from error
        absent = [name for name in ("static", "dynamic") if name not in tensors]
        if absent:
            raise InputError(f"{path}: holds no {absent[0]!r}; it is damaged")
        extras = {}
        for name, value in tensors.items():
            kind, _, rest = name.partition(".")
            if kind == "extra":
                side, _, label = rest.partition(".")
                extras[label] = Extra(value, "static" if side == "static" else "dynamic")
        return Factors(tensors["static"], tensors["dynamic"], extras), json.loads(metadata[_FORMAT])
