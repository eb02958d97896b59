"""Adaptive group normalisation as one function: plain torch, or one fused operator."""

from __future__ import annotations

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
    ``shift = t_b``, ``gain = z_s``). Statistics are taken in float32 for half types.

    Args:
        x: ``(N, C, *spatial)``, contiguous or channels-last, which the result is as well.
        num_groups: Divides C.
        weight: ``(C,)``, likewise ``bias``.
        scale: One value a sample and channel, ``(N, C)``, likewise ``shift`` and ``gain``.
        eps: Added to the variance.
        activation: Applied last.
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
    y = _group_norm(x, num_groups, weight, bias, eps)
    # Both factors act on (N, C), which is small: multiply them there, and touch the map once.
    factor = scale if gain is None else gain if scale is None else gain * scale
    offset = shift if gain is None or shift is None else gain * shift
    spatial = (1,) * (x.ndim - 2)
    if factor is not None:
        y = y * factor.view(*factor.shape, *spatial).to(y.dtype)
    if offset is not None:
        y = y + offset.view(*offset.shape, *spatial).to(y.dtype)
    return F.silu(y) if activation == "silu" else y


def _group_norm(x: Tensor, num_groups: int, weight: Tensor | None, bias: Tensor | None, eps: float) -> Tensor:
    """``torch.group_norm``, also of a single entry a group, and exact where torch's is not."""
    weight, bias = (part if part is None else part.to(x.dtype) for part in (weight, bias))
    if x.device.type != "cpu" or x.is_contiguous():
        return torch.group_norm(x, num_groups, weight, bias, eps)
    # On the CPU and channels-last, torch takes E[x²] − E[x]², which a large mean leaves without digits.
    # GroupNorm does not see a shift of a group, so the mean needs no gradient.
    wide = x.to(torch.float64 if x.dtype == torch.float64 else torch.float32)
    mean = wide.detach().unflatten(1, (num_groups, -1)).flatten(2).mean(2)
    means = mean.repeat_interleave(x.shape[1] // num_groups, 1)
    centred = wide - means.view(*means.shape, *(1,) * (x.ndim - 2))
    weight, bias = (part if part is None else part.to(wide.dtype) for part in (weight, bias))
    return torch.group_norm(centred, num_groups, weight, bias, eps).to(x.dtype)


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
    for name, value in (("scale", scale), ("shift", shift), ("gain", gain)):
        if value is not None and value.shape != x.shape[:2]:
            raise InputError(f"ada_group_norm: {name} is {tuple(value.shape)}; needed: {tuple(x.shape[:2])}")
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
        raise InputError(f"ada_group_norm: impl {impl!r} takes tensors of that device; x is on {x.device}")
    if not fits:
        allowed = ", ".join(str(dtype).removeprefix("torch.") for dtype in KERNEL_DTYPES[impl])
        came = f"x is {x.dtype}" + (f", a part {others.pop()}" if others else "")
        raise InputError(f"ada_group_norm: the {impl} kernel takes {allowed}; {came}")
    require_kernel(device)
    return True
