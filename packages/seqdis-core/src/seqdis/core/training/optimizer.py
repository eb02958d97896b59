"""AdamW over a method's parameter groups, and its state as tensors named after the parameters."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from seqdis.core.config import TrainConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.loaded_weights import fitting_tensor
from seqdis.core.training.hooks import hooks_of

__all__ = ["build_optimizer", "load_optimizer_tensors", "optimizer_tensors", "set_rate"]

_LEAST = {"step": 1.0, "exp_avg": -math.inf, "exp_avg_sq": 0.0}
_ENTRIES = tuple(_LEAST)


def build_optimizer(model: Disentangler, config: TrainConfig) -> AdamW:
    """AdamW (Loshchilov & Hutter 2019) over the model's named groups of parameters, fused where the device has it."""
    groups = [{"params": list(p), "name": name} for name, p in hooks_of(model).parameter_groups().items()]
    return AdamW(
        groups,
        lr=config.lr,
        betas=config.betas,
        weight_decay=config.weight_decay,
        fused=model.device.type in ("cpu", "cuda"),
    )


def set_rate(optimizer: Optimizer, rate: float, factors: Mapping[str, float] | None = None) -> None:
    """Set the learning rate of every group, times its own factor where there is one."""
    for group in optimizer.param_groups:
        group["lr"] = rate * (factors or {}).get(group["name"], 1.0)


def _names(model: Disentangler, optimizer: Optimizer) -> list[str]:
    # In the order in which an optimiser numbers its parameters.
    names = {parameter: name for name, parameter in model.named_parameters()}
    return [names[parameter] for group in optimizer.param_groups for parameter in group["params"]]


def optimizer_tensors(model: Disentangler, optimizer: Optimizer) -> dict[str, Tensor]:
    """The state as ``<parameter>.<entry>`` tensors (``encoder.weight.exp_avg``)."""
    states = optimizer.state_dict()["state"]
    names = _names(model, optimizer)
    return {f"{names[i]}.{entry}": value for i, state in states.items() for entry, value in state.items()}


def load_optimizer_tensors(
    model: Disentangler, optimizer: Optimizer, tensors: Mapping[str, Tensor], *, where: str
) -> None:
    """Restore the state that :func:`optimizer_tensors` gave.

    A parameter that has had no gradient has no state. Squares of gradients may overflow; all other numbers are finite.

    Raises:
        InputError: There is no tensor at all, one belongs to no parameter, is missing, of another shape, of a type that
            is not floating, or out of range.
    """
    if not tensors:
        raise InputError(f"{where}: holds no moments of the weights")
    numbers = {name: i for i, name in enumerate(_names(model, optimizer))}
    parameters = dict(model.named_parameters())
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        name, _, entry = key.rpartition(".")
        if name not in numbers or entry not in _ENTRIES or value.shape != _shape(entry, parameters[name]):
            raise InputError(f"{where}: {key} of shape {tuple(value.shape)} fits no parameter of the model")
        moment = _moment(entry, value, parameters[name], f"{where}: {key}")
        states.setdefault(numbers[name], {})[entry] = moment
    for name, number in numbers.items():
        if missing := [entry for entry in _ENTRIES if number in states and entry not in states[number]]:
            raise InputError(f"{where}: {name}.{missing[0]} is missing")
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})


def _shape(entry: str, parameter: Tensor) -> torch.Size:
    return torch.Size() if entry == "step" else parameter.shape


def _moment(entry: str, value: Tensor, parameter: Tensor, name: str) -> Tensor:
    """An entry as the optimiser keeps it; its count is a tensor of its own kind, on the CPU or not."""
    expected = value.new_empty((), dtype=torch.float32) if entry == "step" else parameter
    cast = fitting_tensor(value, expected, name, finite=entry != "exp_avg_sq")
    least = _LEAST[entry]
    if not bool((cast >= least).all()):
        raise InputError(f"{name}: the smallest value is {cast.min().item():g}; allowed: {least:g} or more")
    # The fused step walks moments and weights in memory order: both need one layout.
    return cast if entry == "step" else torch.empty_like(parameter).copy_(cast)
