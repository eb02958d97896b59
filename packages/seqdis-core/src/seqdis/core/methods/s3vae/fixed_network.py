"""Networks that read something without learning from it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

__all__ = ["fixed"]


@contextmanager
def fixed(*networks: nn.Module) -> Iterator[None]:
    """Within it, networks are given functions: gradients of what they put out reach their input, and no weight.

    Batch norms in training mode normalise as ever, and record nothing of what they see: their running statistics, which
    stand for the data after training, stay those of the data.

    Args:
        networks: The networks that are fixed.
    """
    modules = [module for network in networks for module in network.modules()]
    norms = [m for m in modules if isinstance(m, _BatchNorm) and m.training and m.track_running_stats]
    weights = [p for network in networks for p in network.parameters() if p.requires_grad]
    for norm in norms:
        norm.track_running_stats = False
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for norm in norms:
            norm.track_running_stats = True
        for weight in weights:
            weight.requires_grad_(True)
