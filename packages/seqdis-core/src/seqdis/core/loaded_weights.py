"""Saved weights as the ones that they replace."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite

__all__ = ["fitting_tensor", "fitting_weights"]


def fitting_weights(
    saved: Mapping[str, Tensor], expected: Mapping[str, Tensor], *, where: str, misfit: str, hint: str = ""
) -> dict[str, Tensor]:
    """Saved tensors under the names, in the shapes and of the types of those that they replace.

    Any floating type is cast, so that weights may be kept in half precision; other types must be those expected.

    Args:
        saved: The saved tensors, all of them.
        expected: The tensors of the network that they are for.
        where: The file or folder that they come from, for the message.
        misfit: Words for the message of a name or a shape that does not fit.
        hint: A possible cause of that, for the end of the message.

    Raises:
        InputError: A tensor is missing, too many, of another shape, of a type that is not floating where it should be,
            or not finite.
    """
    for name in sorted(expected.keys() | saved.keys()):
        received, wanted = _shape(saved.get(name)), _shape(expected.get(name))
        if received != wanted:
            raise InputError(f"{where}: {misfit}: {name} is {received}, this model needs {wanted}{hint}")
    return {name: fitting_tensor(value, expected[name], f"{where}: {name}") for name, value in saved.items()}


def fitting_tensor(value: Tensor, expected: Tensor, name: str, *, finite: bool = True) -> Tensor:
    """One saved tensor as the type of the one that it replaces.

    Args:
        value: The saved tensor.
        expected: The tensor that it is for.
        name: File and name of the tensor, for the message.
        finite: Refuse NaN and Inf.

    Raises:
        InputError: The tensor is of a type that is not floating where a floating one is expected, or not finite.
    """
    floating = expected.is_floating_point()
    if value.dtype != expected.dtype and not (floating and value.is_floating_point()):
        allowed = "a floating type" if floating else _type(expected)
        raise InputError(f"{name} is of type {_type(value)}; allowed: {allowed}")
    try:
        cast = value.to(expected.dtype)
    except (
        RuntimeError,
        NotImplementedError,
    ) as error:  # types of four bits, of which torch can only hold the bytes
        raise InputError(
            f"{name} is of type {_type(value)}, which cannot be cast to {_type(expected)}"
        ) from error
    if floating and finite:
        check_finite(cast, name if value.dtype == cast.dtype else f"{name} as {_type(cast)}")
    return cast


def _type(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _shape(tensor: Tensor | None) -> str:
    return "absent" if tensor is None else str(tuple(tensor.shape))
