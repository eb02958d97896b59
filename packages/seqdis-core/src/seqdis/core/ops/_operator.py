"""AdaGN as two operators of the dispatcher: their schema, formula, shapes and derivative.

``seqdis::ada_group_norm`` and ``seqdis::ada_group_norm_backward`` work on every device by the formulas
here; a built kernel, once loaded, takes their place on its device (:mod:`seqdis.core.ops._build`), and the
derivative's as well, which in Python takes longer than a small map.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

__all__ = ["backward_formula", "each_sample", "forward_formula", "memory_format_of"]

Parts = tuple[Tensor | None, Tensor | None, Tensor | None, Tensor | None, Tensor | None]
Gradients = tuple[Tensor, Tensor, Tensor, Tensor, Tensor, Tensor]

_PARTS = "Tensor? weight, Tensor? bias, Tensor? scale, Tensor? shift, Tensor? gain"
_LIBRARY = torch.library.Library("seqdis", "FRAGMENT")
_LIBRARY.define(
    f"ada_group_norm(Tensor x, int num_groups, {_PARTS}, float eps, bool silu)"
    " -> (Tensor y, Tensor mean, Tensor rstd)",
    tags=(torch.Tag.pt2_compliant_tag,),
)
_LIBRARY.define(
    f"ada_group_norm_backward(Tensor grad, Tensor x, Tensor mean, Tensor rstd, int num_groups, {_PARTS},"
    " bool silu) -> (Tensor x, Tensor weight, Tensor bias, Tensor scale, Tensor shift, Tensor gain)",
    tags=(torch.Tag.pt2_compliant_tag,),
)


def memory_format_of(x: Tensor) -> torch.memory_format:
    """The layout of a result: channels-last where ``x`` is exactly that, else contiguous."""
    if not x.is_contiguous():
        for ndim, layout in ((4, torch.channels_last), (5, torch.channels_last_3d)):
            if x.ndim == ndim and x.is_contiguous(memory_format=layout):
                return layout
    return torch.contiguous_format


def _wide(x: Tensor) -> torch.dtype:
    """The type in which statistics are taken."""
    return torch.float64 if x.dtype == torch.float64 else torch.float32


def _over_map(value: Tensor, x: Tensor) -> Tensor:
    """``(N, C)`` as a factor of ``(N, C, *spatial)``."""
    return value.reshape(*value.shape, *(1,) * (x.ndim - 2))


def each_sample(rows: Tensor, x: Tensor) -> Tensor:
    """``(M, C)``, whose rows are shared by N/M samples each, as ``(N, C)``."""
    share = len(x) // max(len(rows), 1)
    return rows if share == 1 else rows.repeat_interleave(share, 0)


def _affine(x: Tensor, parts: Parts) -> tuple[Tensor, Tensor]:
    """``P, Q (N, C)`` with ``gain · (scale · (weight · x̂ + bias) + shift) = P x̂ + Q``."""
    wide = _wide(x)
    weight, bias = (part if part is None else part.to(wide) for part in parts[:2])
    scale, shift, gain = (part if part is None else each_sample(part.to(wide), x) for part in parts[2:])
    p = torch.ones(x.shape[:2], dtype=wide, device=x.device)
    q = torch.zeros_like(p)
    if weight is not None:
        p = p * weight
    if bias is not None:
        q = q + bias
    if scale is not None:
        p, q = p * scale, q * scale
    if shift is not None:
        q = q + shift
    return (p, q) if gain is None else (p * gain, q * gain)


def _normalized(x: Tensor, mean: Tensor, rstd: Tensor) -> Tensor:
    """``x̂ = (x − mean) · rstd``, given both as ``(N, groups)``."""
    grouped = x.to(_wide(x)).unflatten(1, (mean.shape[1], -1))
    shape = (*mean.shape, *(1,) * (x.ndim - 1))
    return ((grouped - mean.reshape(shape)) * rstd.reshape(shape)).flatten(1, 2)


def forward_formula(
    x: Tensor,
    num_groups: int,
    weight: Tensor | None,
    bias: Tensor | None,
    scale: Tensor | None,
    shift: Tensor | None,
    gain: Tensor | None,
    eps: float,
    silu: bool,
) -> tuple[Tensor, Tensor, Tensor]:
    """``y (N, C, *spatial)``, and ``mean, rstd (N, groups)`` in float32 (float64 for float64)."""
    grouped = x.to(_wide(x)).unflatten(1, (num_groups, -1)).flatten(2)
    mean = grouped.mean(2)
    # Two passes: the mean square less the squared mean loses everything where the mean is large.
    rstd = ((grouped - mean[..., None]).square().mean(2) + eps).rsqrt()
    p, q = _affine(x, (weight, bias, scale, shift, gain))
    y = _normalized(x, mean, rstd) * _over_map(p, x) + _over_map(q, x)
    if silu:
        y = y * torch.sigmoid(y)
    return y.to(x.dtype).contiguous(memory_format=memory_format_of(x)), mean, rstd


def backward_formula(
    grad: Tensor,
    x: Tensor,
    mean: Tensor,
    rstd: Tensor,
    num_groups: int,
    weight: Tensor | None,
    bias: Tensor | None,
    scale: Tensor | None,
    shift: Tensor | None,
    gain: Tensor | None,
    silu: bool,
) -> Gradients:
    """Gradients of ``x`` and of each part; a part that was not given has one of no elements.

    With ``w = P x̂ + Q``, ``δ = ∂L/∂w`` and, over positions, ``s₁ = Σ δ``, ``s₂ = Σ δ x̂``, every gradient
    of a part is a product of ``(N, C)``; over the M entries of a group,
    ``∂L/∂x = rstd (P δ − Σ_c P s₁ / M − x̂ Σ_c P s₂ / M)``. Samples that share a row of modulation add up.
    """
    wide = _wide(x)
    normalized = _normalized(x, mean, rstd)
    p, q = _affine(x, (weight, bias, scale, shift, gain))
    delta = grad.to(wide)
    if silu:
        w = normalized * _over_map(p, x) + _over_map(q, x)
        gate = torch.sigmoid(w)
        delta = delta * gate * (1 + w * (1 - gate))
    s1 = delta.flatten(2).sum(2) if x.ndim > 2 else delta
    s2 = (delta * normalized).flatten(2).sum(2) if x.ndim > 2 else delta * normalized
    count = max(x[0].numel() // num_groups, 1) if len(x) else 1
    share1 = (p * s1).unflatten(1, (num_groups, -1)).sum(2) / count
    share2 = (p * s2).unflatten(1, (num_groups, -1)).sum(2) / count
    each = x.shape[1] // num_groups
    spread = [_over_map(share.repeat_interleave(each, 1), x) for share in (share1, share2, rstd)]
    of_x = spread[2] * (_over_map(p, x) * delta - spread[0] - normalized * spread[1])

    one = torch.ones((), dtype=wide, device=x.device)
    weight_, scale_, gain_ = (one if part is None else part.to(wide) for part in (weight, scale, gain))
    rows = next((len(part) for part in (scale, shift, gain) if part is not None), len(x))
    if rows != len(x):  # what the samples that share a row of modulation give together
        s1, s2 = (s.reshape(rows, -1, x.shape[1]).sum(1) for s in (s1, s2))
    # ∂L/∂(gain · scale · …): what weight and bias of the normalisation give.
    inner = weight_ * s2 + (0 if bias is None else bias.to(wide)) * s1
    outer = scale_ * inner + (0 if shift is None else shift.to(wide) * s1)
    of_parts = (
        (weight, (gain_ * scale_ * s2).sum(0)),
        (bias, (gain_ * scale_ * s1).sum(0)),
        (scale, gain_ * inner),
        (shift, gain_ * s1),
        (gain, outer),
    )
    # `clone`, for a result of an operator must not share memory with another.
    rest = [x.new_empty(0) if part is None else value.to(part.dtype).clone() for part, value in of_parts]
    layout = memory_format_of(x)
    return of_x.to(x.dtype).contiguous(memory_format=layout), rest[0], rest[1], rest[2], rest[3], rest[4]


def _forward_fake(x: Tensor, num_groups: int, *parts_and_numbers: object) -> tuple[Tensor, Tensor, Tensor]:
    statistics = x.new_empty((x.shape[0], num_groups), dtype=_wide(x))
    y = torch.empty_like(x, memory_format=memory_format_of(x))
    return y, statistics, torch.empty_like(statistics)


def _backward_fake(
    grad: Tensor, x: Tensor, mean: Tensor, rstd: Tensor, num_groups: int, *parts: Any
) -> tuple[Tensor, ...]:
    rest = [
        x.new_empty(0) if part is None else torch.empty_like(part, memory_format=torch.contiguous_format)
        for part in parts[:5]
    ]
    return torch.empty_like(x, memory_format=memory_format_of(x)), *rest


def _remember(ctx: Any, inputs: Any, output: Any) -> None:
    x, ctx.num_groups, *parts, _eps, ctx.silu = inputs
    ctx.save_for_backward(x, output[1], output[2], *parts)
    ctx.mark_non_differentiable(output[1], output[2])
    ctx.set_materialize_grads(False)


def _differentiate(ctx: Any, grad: Tensor | None, *of_statistics: Tensor | None) -> tuple[Any, ...]:
    x, mean, rstd, *parts = ctx.saved_tensors
    if grad is None:
        return (None,) * 9
    of_x, *rest = torch.ops.seqdis.ada_group_norm_backward(
        grad, x, mean, rstd, ctx.num_groups, *parts, ctx.silu
    )
    gradients = (
        value if needed else None for value, needed in zip(rest, ctx.needs_input_grad[2:7], strict=True)
    )
    return of_x, None, *gradients, None, None


def _refuse_second_derivative(ctx: Any, *grads: Tensor) -> tuple[Any, ...]:
    raise NotImplementedError("ada_group_norm: a second derivative exists with impl='reference' alone")


_LIBRARY.impl("ada_group_norm", forward_formula, "CompositeExplicitAutograd")
_LIBRARY.impl("ada_group_norm_backward", backward_formula, "CompositeExplicitAutograd")
torch.library.register_fake("seqdis::ada_group_norm", _forward_fake, lib=_LIBRARY)
torch.library.register_fake("seqdis::ada_group_norm_backward", _backward_fake, lib=_LIBRARY)
torch.library.register_autograd(
    "seqdis::ada_group_norm", _differentiate, setup_context=_remember, lib=_LIBRARY
)
torch.library.register_autograd("seqdis::ada_group_norm_backward", _refuse_second_derivative, lib=_LIBRARY)
