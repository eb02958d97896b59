"""Compares a built kernel with its formula, once, after it was compiled."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdis.core.ops._build import KERNEL_DTYPES
from seqdis.core.ops._operator import backward_formula, forward_formula

__all__ = ["kernel_error"]

_MAPS = ((2, 8, 4, 9, 7), (3, 12, 3, 33), (2, 32, 4, 16, 16), (1, 6, 6, 5, 3))
"""Samples, channels, groups, and the size of the map."""


def kernel_error(device: str) -> str | None:
    """Compare the loaded kernel with float64 on a few maps of every type and layout.

    Args:
        device: ``"cpu"`` or ``"cuda"``.

    Returns:
        None where values and gradients agree to the type's rounding, else what differs.
    """
    g = torch.Generator().manual_seed(0)
    for samples, channels, groups, *size in _MAPS:
        shape = (samples, channels, *size)
        x, grad = torch.randn(shape, generator=g) + 3, torch.randn(shape, generator=g)
        parts = [torch.randn(channels, generator=g) for _ in range(2)]
        parts += [torch.randn(samples, channels, generator=g) for _ in range(3)]
        for dtype in KERNEL_DTYPES[device]:
            for layout in (torch.contiguous_format, *([torch.channels_last] if len(size) == 2 else [])):
                what = (
                    f"{tuple(shape)} {str(dtype).removeprefix('torch.')} {str(layout).removeprefix('torch.')}"
                )
                x_, grad_ = (value.to(device, dtype).contiguous(memory_format=layout) for value in (x, grad))
                parts_ = [part.to(device) for part in parts]
                y, mean, rstd = torch.ops.seqdis.ada_group_norm(x_, groups, *parts_, 1e-5, True)
                gradients = torch.ops.seqdis.ada_group_norm_backward(
                    grad_, x_, mean, rstd, groups, *parts_, True
                )
                wide = [value.double().cpu() for value in (x_, grad_, *parts_)]
                x64, grad64, w, b, scale, shift, gain = wide
                expected = forward_formula(x64, groups, w, b, scale, shift, gain, 1e-5, True)
                wanted = backward_formula(
                    grad64, x64, expected[1], expected[2], groups, w, b, scale, shift, gain, True
                )
                names = ("values", "x", "weight", "bias", "scale", "shift", "gain")
                pairs = zip(names, (y, *gradients), (expected[0], *wanted), strict=True)
                for name, mine, theirs in pairs:
                    if not _close(mine, theirs, dtype):
                        return f"{'values' if name == 'values' else f'the gradient of {name}'} at {what}"
    return None


def _close(actual: Tensor, expected: Tensor, dtype: torch.dtype) -> bool:
    """Whether two tensors agree within the type's rounding, relative to the largest entry."""
    least = {torch.float32: 1e-4, torch.float16: 1e-2, torch.bfloat16: 5e-2}[dtype]
    scale = expected.abs().max().clamp(min=1.0)
    error = (actual.double().cpu() - expected).abs().max() / scale
    return bool(error <= least)  # NaN is not
