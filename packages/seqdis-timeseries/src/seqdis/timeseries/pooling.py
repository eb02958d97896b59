"""Pooling of the dynamic factor over time: sequences of any lengths become rows of one width."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from seqdis.core.errors import InputError

__all__ = ["POOLINGS", "Pooling", "pool_steps", "pooled_parts", "segment_weights"]

Pooling = Literal["segments", "flatten", "mean_std", "last"]
POOLINGS: tuple[str, ...] = get_args(Pooling)


def segment_weights(steps: int, segments: int) -> np.ndarray:
    """The share that each step has in the mean of each segment, ``(K, V)`` (piecewise aggregate approximation).

    ``w[k, t] = K/V · |[t, t+1) ∩ [k·V/K, (k+1)·V/K)|``: K equal segments of the V steps; a step that lies across
    a border counts in both, by its parts. Every row sums to 1. With K = V it is the identity.

    Args:
        steps: Number of steps, V; it may be smaller than the number of segments.
        segments: Number of segments, K.
    """
    edges = np.linspace(0, steps, segments + 1)
    start, stop = edges[:-1, None], edges[1:, None]
    step = np.arange(steps)
    overlap = np.minimum(stop, step + 1) - np.maximum(start, step)
    return np.clip(overlap, 0, None) * segments / steps


def pooled_parts(pooling: Pooling, *, steps: int, segments: int) -> tuple[str, ...]:
    """Names of the parts that pooling makes of a sequence, in order.

    Args:
        pooling: Way in which the steps are pooled.
        steps: Number of steps of every sequence, of which ``"flatten"`` keeps each.
        segments: Number of segments of ``"segments"``.
    """
    return {
        "segments": tuple(f"segment_{k}" for k in range(segments)),
        "flatten": tuple(f"step_{t}" for t in range(steps)),
        "mean_std": ("mean", "std"),
        "last": ("last",),
    }[pooling]


def pool_steps(
    values: np.ndarray, mask: np.ndarray | None, *, pooling: Pooling, segments: int = 8
) -> np.ndarray:
    """Pool the steps of each sequence into P parts, ``(N, V, D) -> (N, P, D)``; padding has no part in it.

    Args:
        values: One vector a step, ``(N, V, D)``.
        mask: True where a step exists, ``(N, V)``, each sequence's padding at its end; None: all of them do.
        pooling: ``"segments"``: the mean of each of ``segments`` equal parts of a sequence; ``"flatten"``: every
            step; ``"mean_std"``: mean and standard deviation over the steps; ``"last"``: the last step.
        segments: Number of segments.

    Raises:
        InputError: Every step is to be kept, and the sequences differ in length.
    """
    count, steps, width = values.shape
    lengths = np.full(count, steps) if mask is None else mask.sum(1)
    if pooling == "flatten":
        if lengths.min() != steps:
            raise InputError(
                f"X: sequences of {lengths.min()} to {steps} steps; pooling='flatten' takes sequences of one length; "
                "allowed for unequal ones: pooling='segments', 'mean_std' or 'last'"
            )
        return values
    parts = len(pooled_parts(pooling, steps=steps, segments=segments))
    pooled = np.empty((count, parts, width), values.dtype)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        kept = values[rows, :length]
        if pooling == "segments":
            # matmul of one row at a time: sums must not depend on how many sequences there are.
            pooled[rows] = segment_weights(length, segments).astype(values.dtype) @ kept
        elif pooling == "mean_std":
            pooled[rows] = np.stack([kept.mean(1), kept.std(1)], axis=1)
        else:
            pooled[rows] = kept[:, -1:]
    return pooled
