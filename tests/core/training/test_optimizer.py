"""The moments of a training as tensors: what was saved comes back, and what no training makes is refused by its name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor
from torch.optim import Optimizer

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.pretrained import build_model
from seqdis.core.training.optimizer import build_optimizer, load_optimizer_tensors, optimizer_tensors

Change = Callable[[Tensor], Tensor]
NAME = "output.weight"


@pytest.fixture
def fresh(plain_config: Callable[..., RunConfig]) -> tuple[Disentangler, Optimizer]:
    config = plain_config()
    model = build_model(config)
    return model, build_optimizer(model, config.train)


@pytest.fixture
def saved(fresh: tuple[Disentangler, Optimizer]) -> dict[str, Tensor]:
    """The moments after three steps."""
    model, optimizer = fresh
    for _ in range(3):
        for parameter in model.parameters():
            parameter.grad = torch.randn_like(parameter)
        optimizer.step()
    return {name: value.clone() for name, value in optimizer_tensors(model, optimizer).items()}


def load(fresh: tuple[Disentangler, Optimizer], tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    load_optimizer_tensors(*fresh, tensors, where="m")
    return optimizer_tensors(*fresh)


def test_what_was_saved_comes_back(fresh: tuple[Disentangler, Optimizer], saved: dict[str, Tensor]) -> None:
    loaded = load(fresh, saved)
    assert loaded.keys() == saved.keys()
    assert all(torch.equal(loaded[name], value) for name, value in saved.items())
    without = {name: value for name, value in saved.items() if not name.startswith(NAME)}
    assert load(fresh, without).keys() == without.keys()  # a parameter that had no gradient


def test_moments_of_any_floating_type_are_cast(
    fresh: tuple[Disentangler, Optimizer], saved: dict[str, Tensor]
) -> None:
    for kind in (torch.float64, torch.float16, torch.bfloat16):
        loaded = load(fresh, {name: value.to(kind) for name, value in saved.items()})
        assert all(value.dtype == torch.float32 for value in loaded.values())
        assert torch.equal(loaded[f"{NAME}.exp_avg"], saved[f"{NAME}.exp_avg"].to(kind).float())


def test_an_overflown_square_of_a_training_is_kept(
    fresh: tuple[Disentangler, Optimizer], saved: dict[str, Tensor]
) -> None:
    saved[f"{NAME}.exp_avg_sq"].fill_(torch.inf)
    assert bool(load(fresh, saved)[f"{NAME}.exp_avg_sq"].isinf().all())


REFUSED: dict[str, tuple[str, Change, str]] = {
    "nan mean": ("exp_avg", lambda x: x * torch.nan, "56 of 56 values are NaN or Inf"),
    "inf mean": ("exp_avg", lambda x: x + torch.inf, "56 of 56 values are NaN or Inf"),
    "nan square": ("exp_avg_sq", lambda x: x * torch.nan, "the smallest value is nan; allowed: 0 or more$"),
    "negative square": ("exp_avg_sq", lambda x: x * 0 - 2, "the smallest value is -2; allowed: 0 or more$"),
    "nan count": ("step", lambda x: x * torch.nan, "1 of 1 values are NaN or Inf"),
    "no steps": ("step", lambda x: x * 0, "the smallest value is 0; allowed: 1 or more$"),
    "many counts": ("step", lambda x: x.expand(56), r"of shape \(56,\) fits no parameter of the model$"),
    "one mean": ("exp_avg", lambda x: x.sum(), r"of shape \(\) fits no parameter of the model$"),
    **{
        f"{kind} {entry}": (
            entry,
            lambda x, kind=kind: x.to(kind),
            "is of type .*; allowed: a floating type$",
        )
        for kind in (torch.int8, torch.int64, torch.bool, torch.complex64)
        for entry in ("exp_avg", "exp_avg_sq", "step")
    },
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_no_training_makes_is_refused_by_its_name(
    fresh: tuple[Disentangler, Optimizer], saved: dict[str, Tensor], case: str
) -> None:
    entry, change, message = REFUSED[case]
    name = f"{NAME}.{entry}"
    saved[name] = change(saved[name])
    with pytest.raises(InputError, match=rf"^m: {name}\b.*{message}"):
        load(fresh, saved)


def test_no_part_of_the_moments_may_be_missing_or_too_many(
    fresh: tuple[Disentangler, Optimizer], saved: dict[str, Tensor]
) -> None:
    for entry in ("step", "exp_avg", "exp_avg_sq"):
        less = {name: value for name, value in saved.items() if name != f"{NAME}.{entry}"}
        with pytest.raises(InputError, match=f"^m: {NAME}.{entry} is missing$"):
            load(fresh, less)
    with pytest.raises(InputError, match=rf"^m: {NAME}.momentum of shape \(\) fits no parameter"):
        load(fresh, saved | {f"{NAME}.momentum": torch.tensor(1.0)})
    with pytest.raises(InputError, match=r"^m: holds no moments of the weights$"):
        load(fresh, {})
