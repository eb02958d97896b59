"""The settings that keep two factors apart and that a stage may move."""

from __future__ import annotations

from seqdis.core.errors import InputError
from seqdis.core.nn.noisy_factors import NoisyFactors
from seqdis.core.nn.predictability import Predictability

__all__ = ["set_separation"]


def set_separation(
    name: str, value: float, *, channels: NoisyFactors, predictability: Predictability | None, method: str
) -> None:
    """Take a value of a training schedule: ``static_noise``, ``dynamic_noise`` or ``predictability_weight``.

    Args:
        name: One of the three, where the configuration's own, at which the training ends, is not 0.
        value: The value that it takes at the present step.
        channels: Both factors' noise.
        predictability: The network that reads the dynamics from the static factor, if the method has it.
        method: The method's name, for the error.

    Raises:
        InputError: The value has another name, or the model was built without it.
    """
    noisy = {"static_noise": channels.static, "dynamic_noise": channels.dynamic}
    if name == "predictability_weight" and predictability is not None:
        predictability.present_weight = value
    elif name in noisy and noisy[name].noise:
        noisy[name].present_noise = value
    else:
        allowed = ", ".join((*noisy, "predictability_weight"))
        raise InputError(
            f"train.stages: value {name!r}; {method} has {allowed}, each where the model's own, at which the training "
            "ends, is not 0"
        )
