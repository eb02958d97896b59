"""AdamW over a method's parameter groups, and its state as tensors named after the parameters."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.optim import AdamW, Optimizer

from seqdis.core.config import TrainConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.training.hooks import hooks_of

__all__ = ["build_optimizer", "load_optimizer_tensors", "optimizer_tensors", "set_rate"]


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

    Raises:
        InputError: A tensor belongs to no parameter, or has another shape.
    """
    numbers = {name: i for i, name in enumerate(_names(model, optimizer))}
    parameters = dict(model.named_parameters())
    states: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        name, _, entry = key.rpartition(".")
        if name not in numbers or value.shape not in (parameters[name].shape, torch.Size()):
            raise InputError(f"{where}: {key} of shape {tuple(value.shape)} fits no parameter of the model")
        if value.ndim:
            # The fused step walks moments and weights in memory order: both need one layout.
            value = torch.empty_like(parameters[name]).copy_(value)
        states.setdefault(numbers[name], {})[entry] = value
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
