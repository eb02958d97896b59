from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.loaded_weights import fitting_weights

EXPECTED = {"weight": torch.zeros(2, 3), "steps": torch.zeros((), dtype=torch.int64)}


def fitted(**changes: Tensor) -> dict[str, Tensor]:
    saved = {"weight": torch.linspace(-1, 1, 6).view(2, 3), "steps": torch.tensor(7)} | changes
    return fitting_weights(saved, EXPECTED, where="w", misfit="do not fit", hint="; width = 2 there")


FLOATING = [
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
]


@pytest.mark.parametrize("kind", FLOATING)
def test_every_floating_type_is_cast(kind: torch.dtype) -> None:
    given = torch.linspace(-1, 1, 6).view(2, 3).to(kind)
    weight = fitted(weight=given)["weight"]
    assert weight.dtype == torch.float32
    assert torch.equal(weight, given.float())


@pytest.mark.parametrize(
    "kind", [torch.int8, torch.uint8, torch.int64, torch.bool, torch.complex64, torch.complex128]
)
def test_every_other_type_is_refused_by_the_name_of_the_tensor(kind: torch.dtype) -> None:
    name = str(kind).removeprefix("torch.")
    with pytest.raises(InputError, match=f"^w: weight is of type {name}; allowed: a floating type$"):
        fitted(weight=torch.ones(2, 3).to(kind))


def test_a_count_stays_a_count() -> None:
    assert torch.equal(fitted()["steps"], torch.tensor(7))
    with pytest.raises(InputError, match=r"^w: steps is of type float32; allowed: int64$"):
        fitted(steps=torch.tensor(7.0))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_what_is_not_finite_is_refused(value: float, kind: torch.dtype) -> None:
    bad = torch.zeros(2, 3, dtype=kind)
    bad[1, 2] = value
    with pytest.raises(
        InputError, match=r"^w: weight.*: 1 of 6 values are NaN or Inf, the first at index \(1, 2\)"
    ):
        fitted(weight=bad)


def test_what_overflows_when_it_is_cast_is_refused() -> None:
    with pytest.raises(InputError, match=r"^w: weight as float32: 6 of 6 values are NaN or Inf"):
        fitted(weight=torch.full((2, 3), 1e300, dtype=torch.float64))


def test_names_and_shapes_must_fit() -> None:
    with pytest.raises(
        InputError, match=r"^w: do not fit: weight is \(3, 2\), this model needs \(2, 3\); width = 2 there$"
    ):
        fitted(weight=torch.zeros(3, 2))
    with pytest.raises(InputError, match=r"bias is \(3,\), this model needs absent"):
        fitted(bias=torch.zeros(3))
    with pytest.raises(InputError, match=r"steps is absent, this model needs \(\)"):
        fitting_weights({"weight": torch.zeros(2, 3)}, EXPECTED, where="w", misfit="do not fit")
