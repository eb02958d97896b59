"""Principal components of drawn factors: the directions along which a traversal moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.factors import Factors, Side
from seqdis.core.files import replace_with_tensors
from seqdis.core.finite import check_finite, check_scale
from seqdis.core.metric import Estimate
from seqdis.core.reading import readable

__all__ = ["PrincipalComponents", "label_association", "principal_components"]

_FORMAT = "seqdis.principal.1"


@dataclass(frozen=True)
class PrincipalComponents:
    """Directions of largest variance of one factor, each sequence's flattened to one vector of ``h`` numbers.

    Attributes:
        factor: ``"static"``: ``h = S``; ``"dynamic"``: ``h = V·D``, whole trajectories.
        mean: Mean of the samples, ``μ (h,)``.
        std: Standard deviation of the samples, ``σ (h,)``; 1 where they do not vary.
        directions: Orthonormal ``v_i (K, h)`` in standardised units, the largest variance first; the entry of
            largest size is positive.
        explained: Share of the standardised samples' variance that each direction holds, ``(K,)``.
    """

    factor: Side
    mean: Tensor
    std: Tensor
    directions: Tensor
    explained: Tensor

    def __len__(self) -> int:
        return len(self.directions)

    def move(self, factors: Factors, component: int, amounts: Tensor) -> Factors:
        """DiffSDA, Eq. 6: ``s̄ = ((s − μ)/σ + α·v_i·√h)·σ + μ``, and the same on ``d^{1:V}``.

        The length of the step at ``α = 1``, ``√h``, is that of a typical standardised vector.

        Args:
            factors: Factors of ``B`` sequences.
            component: Number ``i`` of the direction, from 0.
            amounts: Steps ``α (A,)`` along the direction; 0 changes nothing.

        Returns:
            Factors of ``B·A`` sequences, all amounts of the first one first. Extras are carried along.

        Raises:
            InputError: There is no such component, or the factors are of another shape.
        """
        if not 0 <= component < len(self):
            raise InputError(f"component {component}: there are {len(self)}; allowed: 0 to {len(self) - 1}")
        value = self._value(factors)
        copies = torch.arange(len(factors)).repeat_interleave(len(amounts))
        spread = factors[copies]
        step = self.directions[component] * len(self.mean) ** 0.5 * self.std
        shift = amounts.to(step)[:, None] * step
        moved = (value[:, None].double() + shift).flatten(0, 1).to(value)
        moved = moved.unflatten(1, getattr(factors, self.factor).shape[1:])
        if self.factor == "static":
            return replace(spread, static=moved)
        return replace(spread, dynamic=moved)

    def coordinates(self, factors: Factors) -> Tensor:
        """``⟨(s − μ)/σ, v_i⟩`` of every sequence and component, ``(B, K)``."""
        return ((self._value(factors).double() - self.mean) / self.std) @ self.directions.T

    def _value(self, factors: Factors) -> Tensor:
        value: Tensor = getattr(factors, self.factor).flatten(1).cpu()
        if value.shape[1] != len(self.mean):
            raise InputError(
                f"{self.factor} factors of {value.shape[1]} numbers; these components are of {len(self.mean)}"
            )
        return value

    def save(self, path: Path) -> None:
        """Write one safetensors file."""
        tensors = {name: getattr(self, name) for name in ("mean", "std", "directions", "explained")}
        replace_with_tensors(path, tensors, {_FORMAT: self.factor})

    @classmethod
    def load(cls, path: Path) -> PrincipalComponents:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: The file is missing, damaged, or holds something else, or a value is not finite; shapes do not fit together.
        """
        with readable(path, "principal components"), safe_open(str(path), framework="pt") as file:
            factor = (file.metadata() or {}).get(_FORMAT)
            if factor not in ("static", "dynamic"):
                raise InputError(f"{path}: not a file of principal components")
            tensors = {name: file.get_tensor(name) for name in ("mean", "std", "directions", "explained")}
        for name, value in tensors.items():
            if value.dtype != torch.float64:
                kind = str(value.dtype).removeprefix("torch.")
                raise InputError(f"{path}: {name} is of type {kind}; allowed: float64")
            check_finite(value, f"{path}: {name}")
        check_scale(tensors["std"], f"{path}: std")
        shapes = {name: tuple(value.shape) for name, value in tensors.items()}
        kept, numbers = shapes["directions"] if len(shapes["directions"]) == 2 else (0, 0)
        if not kept or shapes != {
            "mean": (numbers,), "std": (numbers,), "directions": (kept, numbers), "explained": (kept,),
        }:  # fmt: skip
            described = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
            raise InputError(
                f"{path}: {described}; allowed: mean (F,), std (F,), directions (K, F), explained (K,)"
            )
        if not bool(((tensors["explained"] >= 0) & (tensors["explained"] <= 1 + 1e-9)).all()):
            raise InputError(f"{path}: explained holds what is no share; allowed: 0 to 1")
        return cls(factor, **tensors)


def principal_components(
    samples: Factors, factor: Side, *, keep: int = 64, standardised: bool = True
) -> PrincipalComponents:
    """PCA of standardised samples (DiffSDA, Sec. 4.3: 2^15 draws of the prior).

    ``v_i`` are eigenvectors of ``E[z zᵀ]``, ``z = (s − μ)/σ``, because Eq. 6 moves in those units.

    Args:
        samples: Factors of at least two sequences.
        factor: The side whose components are computed, ``"static"`` or ``"dynamic"``.
        keep: Largest number of directions to keep, those of the largest variance.
        standardised: False takes eigenvectors of ``E[(s − μ)(s − μ)ᵀ]``, as the paper's text reads, though its
            Eq. 6 moves along them in standardised units.

    Raises:
        InputError: There are fewer than two samples, a value is not finite, or nothing varies.
    """
    value = getattr(samples, factor).flatten(1).double().cpu()
    if len(value) < 2:
        raise InputError(f"principal components need at least 2 samples; got {len(value)}")
    check_finite(value, f"{factor} factors")
    std, mean = torch.std_mean(value, dim=0, correction=0)
    varies = std > 1e-6
    if not bool(varies.any()):
        raise InputError(f"{factor} factors: all {len(value)} samples are the same; there is no direction")
    std = torch.where(varies, std, 1.0)
    standard = torch.where(varies, (value - mean) / (std if standardised else 1.0), 0.0)
    variance, vectors = torch.linalg.eigh(standard.T @ standard / len(value))
    order = variance.argsort(descending=True)[: min(keep, int(varies.sum()))]
    directions = vectors.T[order]
    peaks = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return PrincipalComponents(
        factor, mean, std, directions * peaks.sign(), variance[order].clamp(min=0) / variance.sum()
    )


def label_association(
    components: PrincipalComponents, factors: Factors, labels: Mapping[str, Tensor]
) -> dict[str, list[Estimate]]:
    """Association of each label with each component: ``η² = Σ_c n_c (t̄_c − t̄)² / Σ_n (t_n − t̄)²`` (Fisher 1925).

    It is the share of the variance of a coordinate ``t`` that a label's C classes account for, in [0, 1]. A label
    that has nothing to do with the coordinate reaches ``(C − 1)/(N − 1)`` on average, given as chance.

    Args:
        components: Directions of one factor, along which the sequences have coordinates.
        factors: Factors of N real sequences.
        labels: Classes of these sequences by label, each ``(N,)``.

    Returns:
        One estimate for each component, by label.

    Raises:
        InputError: The sizes differ, or there are fewer than two sequences.
    """
    t = components.coordinates(factors)
    if len(t) < 2 or any(len(value) != len(t) for value in labels.values()):
        raise InputError(
            f"association needs at least 2 sequences and as many labels; got {len(t)} and "
            f"{ {name: len(value) for name, value in labels.items()} }"
        )
    total = (t - t.mean(0)).square().sum(0)
    association = {}
    for name, value in labels.items():
        classes = value.unique()
        between = torch.zeros_like(total)
        for one in classes:
            part = t[value == one]
            between += len(part) * (part.mean(0) - t.mean(0)).square()
        share = torch.where(total > 0, between / total.clamp(min=1e-300), 0.0).clamp(0, 1)
        chance = (len(classes) - 1) / (len(t) - 1)
        association[name] = [Estimate(value=float(x), unit="share", chance=chance, n=len(t)) for x in share]
    return association
