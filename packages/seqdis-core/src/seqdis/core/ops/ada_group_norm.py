"""Adaptive group normalisation as one function: plain torch, or one fused operator."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from seqdis.core.errors import InputError, unknown_name
from seqdis.core.ops import _operator  # noqa: F401  defines the operators
from seqdis.core.ops._build import KERNEL_DTYPES, PART_DTYPES, kernel_is_loaded, require_kernel

__all__ = ["ada_group_norm"]

Implementation = Literal["auto", "reference", "cpu", "cuda"]


def ada_group_norm(
    x: Tensor,
    num_groups: int,
    *,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    scale: Tensor | None = None,
    shift: Tensor | None = None,
    gain: Tensor | None = None,
    eps: float = 1e-5,
    activation: Literal["silu"] | None = None,
    impl: Implementation = "auto",
) -> Tensor:
    """AdaGN: ``activation(gain · (scale · GroupNorm(x; weight, bias, eps) + shift))``.

    There is no hidden ``1 +``; what is None is skipped (DiffSDA, Eq. 9, with ``scale = t_s``,
    ``shift = t_b``, ``gain = z_s``). Half types are computed in float32 and rounded once, to the type of
    ``x``, also under ``torch.autocast``.

    Args:
        x: Feature map ``(N, C, *spatial)``, contiguous or channels-last; the result has the same layout.
        num_groups: Number of groups; it divides C.
        weight: One factor a channel, ``(C,)``, none when omitted.
        bias: One summand a channel, ``(C,)``, none when omitted.
        scale: One factor a sample and channel, ``(N, C)``, or ``(M, C)`` where M divides N: row m is then for
            the N/M samples from m·N/M on (the tokens of a frame).
        shift: One summand a sample and channel, shaped like ``scale``.
        gain: One outer factor a sample and channel, shaped like ``scale``.
        eps: Constant added to the variance.
        activation: The function applied last, ``"silu"``; none when omitted.
        impl: ``"auto"`` is the built kernel of the device where it takes the type of ``x``, else the
            reference; ``"cpu"`` and ``"cuda"`` insist on the kernel.

    Raises:
        InputError: The groups do not divide the channels, a part has another shape than it must, or
            the kernel asked for does not take ``x``.
        KernelNotBuiltError: The kernel asked for has not been built.
    """
    _check(x, num_groups, weight, bias, scale, shift, gain, activation)
    if _takes_kernel(x, (weight, bias, scale, shift, gain), impl):
        y: Tensor = torch.ops.seqdis.ada_group_norm(
            x, num_groups, weight, bias, scale, shift, gain, eps, activation == "silu"
        )[0]
        return y
    wide = x.to(torch.float64 if x.dtype == torch.float64 else torch.float32)
    weight, bias = (part if part is None else part.to(wide.dtype) for part in (weight, bias))
    y = _group_norm(wide, num_groups, weight, bias, eps)
    # Both factors act on (M, C), which is small: multiply them there, and touch the map once.
    scale, shift, gain = (part if part is None else part.to(wide.dtype) for part in (scale, shift, gain))
    factor = scale if gain is None else gain if scale is None else gain * scale
    offset = shift if gain is None or shift is None else gain * shift
    if factor is not None:
        y = _over_map(torch.mul, y, factor)
    if offset is not None:
        y = _over_map(torch.add, y, offset)
    return (F.silu(y) if activation == "silu" else y).to(x.dtype)


def _over_map(combine: Callable[[Tensor, Tensor], Tensor], y: Tensor, rows: Tensor) -> Tensor:
    """``combine`` a map ``(N, C, *spatial)`` with ``(M, C)``, each row of which N/M samples share."""
    flat = rows.view(*rows.shape, *(1,) * (y.ndim - 2))
    if len(rows) == len(y):
        return combine(y, flat)
    return combine(y.unflatten(0, (len(rows), -1)), flat[:, None]).flatten(0, 1)


def _group_norm(x: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """``torch.group_norm``, also of a single entry a group, and fast and exact where torch's is not."""
    if x.ndim == 2:  # whose gradient takes several times longer by torch.group_norm
        y = F.layer_norm(x.unflatten(1, (num_groups, -1)), (x.shape[1] // num_groups,), eps=eps).flatten(1)
        y = y if weight is None else y * weight
        return y if bias is None else y + bias
    if x.device.type != "cpu" or x.is_contiguous():
        return torch.group_norm(x, num_groups, weight, bias, eps)
    # On the CPU and channels-last, torch takes E[x²] − E[x]², which a large mean leaves without digits.
    # GroupNorm does not see a shift of a group, so the mean needs no gradient.
    mean = x.detach().unflatten(1, (num_groups, -1)).flatten(2).mean(2)
    means = mean.repeat_interleave(x.shape[1] // num_groups, 1)
    return torch.group_norm(x - means.view(*means.shape, *(1,) * (x.ndim - 2)), num_groups, weight, bias, eps)


def _check(
    x: Tensor,
    num_groups: int,
    weight: Tensor | None,
    bias: Tensor | None,
    scale: Tensor | None,
    shift: Tensor | None,
    gain: Tensor | None,
    activation: str | None,
) -> None:
    if x.ndim < 2:
        raise InputError(f"ada_group_norm: x is {tuple(x.shape)}; needed: (N, C, *spatial)")
    if not x.is_floating_point():
        raise InputError(f"ada_group_norm: x is {x.dtype}; needed: a floating-point type")
    channels = x.shape[1]
    if num_groups < 1 or channels % num_groups:
        raise InputError(f"ada_group_norm: {channels} channels do not split into {num_groups} groups")
    for name, value in (("weight", weight), ("bias", bias)):
        if value is not None and value.shape != x.shape[1:2]:
            raise InputError(f"ada_group_norm: {name} is {tuple(value.shape)}; needed: ({channels},)")
    samples, rows = len(x), None
    for name, value in (("scale", scale), ("shift", shift), ("gain", gain)):
        if value is None:
            continue
        rows = len(value) if rows is None else rows
        divides = rows == samples or (0 < rows < samples and samples % rows == 0)
        if value.ndim != 2 or value.shape[1] != channels or len(value) != rows or not divides:
            raise InputError(
                f"ada_group_norm: {name} is {tuple(value.shape)}; needed: {tuple(x.shape[:2])}, "
                f"or for all of them fewer rows, a divisor of {samples}"
            )
    if activation not in (None, "silu"):
        raise unknown_name("activation", str(activation), ["silu"])


def _takes_kernel(x: Tensor, parts: tuple[Tensor | None, ...], impl: str) -> bool:
    """Whether ``impl`` means the operator for this tensor."""
    if impl == "reference":
        return False
    device = x.device.type
    others = {part.dtype for part in parts if part is not None} - set(PART_DTYPES)
    fits = device in KERNEL_DTYPES and x.dtype in KERNEL_DTYPES[device] and not others
    if impl == "auto":
        return fits and kernel_is_loaded(device)
    if impl not in KERNEL_DTYPES:
        raise unknown_name("impl", impl, get_args(Implementation))
    if device != impl:
        require_kernel(impl)  # what is missing comes first
        raise InputError(f"ada_group_norm: impl {impl!r} takes tensors of that device; x is on {x.device}")
    if not fits:
        allowed = ", ".join(str(dtype).removeprefix("torch.") for dtype in KERNEL_DTYPES[impl])
        received = f"x is {x.dtype}" + (f", a part {others.pop()}" if others else "")
        raise InputError(f"ada_group_norm: the {impl} kernel takes {allowed}; {received}")
    require_kernel(device)
    return True
