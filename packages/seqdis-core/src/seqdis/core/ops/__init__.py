"""Operators that have a plain formula in torch and a fused kernel."""

from seqdis.core.ops._build import KernelNotBuiltError
from seqdis.core.ops.ada_group_norm import ada_group_norm

__all__ = ["KernelNotBuiltError", "ada_group_norm"]
