"""Operators."""

from seqdis.core.ops.ada_group_norm import ada_group_norm

__all__ = ["ada_group_norm"]
