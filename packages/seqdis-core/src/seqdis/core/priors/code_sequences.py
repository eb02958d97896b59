"""Sequences of codes of any length under a network with a context of fixed length."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdis.core.priors.code_transformer import CodeTransformer
from seqdis.core.priors.truncation import truncated_probabilities
from seqdis.core.random import GeneratorStack, gumbel

__all__ = ["context_start", "draw_codes", "log_likelihood", "log_probabilities"]


def context_start(step: int, length: int) -> int:
    """The first step of the context in which one is predicted: ``max(0, ⌊(step − length)/h⌋ + 1)·h``.

    A context holds the content and at most ``length − 1`` steps. When it is full, the latest ``⌊length/2⌋`` steps
    are kept: it moves by ``h = ⌈length/2⌉`` steps at a time, and keys and values are reused until it moves. Moving
    by one step would give every step a new position, and its keys and values would be computed anew each time.
    """
    hop = length - length // 2
    return max(0, (step - length) // hop + 1) * hop


def log_probabilities(network: CodeTransformer, static: Tensor, codes: Tensor) -> Tensor:
    """``log p(c_i^τ | s, c^{<τ})`` of ``codes (B, T, G)`` that fit one context: ``(B, T, G)``, in nats."""
    logits = network(static, codes[:, :-1])
    return logits.log_softmax(-1).gather(-1, codes[..., None])[..., 0]


def log_likelihood(network: CodeTransformer, static: Tensor, codes: Tensor, *, length: int) -> Tensor:
    """``log p(c^{1:T} | s)`` for any T, ``(B,)``: each step in the context that it would be drawn in."""
    total, step = static.new_zeros(len(static)), 0
    while step < codes.shape[1]:
        start = context_start(step, length)
        window = log_probabilities(network, static, codes[:, start : start + length])
        total += window[:, step - start :].sum((1, 2))
        step = start + length
    return total


@torch.no_grad()
def draw_codes(
    network: CodeTransformer,
    static: Tensor,
    steps: int,
    *,
    length: int,
    generator: GeneratorStack,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    kv_cache: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Tensor:
    """Draw one step after the other, the groups of a step each from its own head.

    Args:
        network: A network in evaluation mode.
        static: Contents, ``(B, *S)``.
        steps: Number of steps to draw; the first ones do not depend on it.
        length: Length of the longest context, the content included.
        generator: Source of the draws, one stream a sequence.
        temperature: Temperature of the draws, as in :func:`truncated_probabilities`.
        top_k: Number of likeliest codes of a group to draw among.
        top_p: Probability of the likeliest codes to draw among.
        kv_cache: Whether keys and values are kept while the context grows.
        progress: Called with the number of steps done and in all.

    Returns:
        ``(B, steps, G)``.
    """
    shape = (len(static), steps, len(network.codebook))
    codes = torch.zeros(shape, dtype=torch.long, device=static.device)
    cache, begun = None, -1
    for step in range(steps):
        start = context_start(step, length)
        if cache is not None and start == begun:
            logits = network(None, codes[:, step - 1 : step], cache=cache)
        else:
            cache, begun = network.new_cache() if kv_cache else None, start
            logits = network(static, codes[:, start:step], cache=cache)
        p = truncated_probabilities(logits[:, -1], temperature=temperature, top_k=top_k, top_p=top_p)
        codes[:, step] = (p.log() + gumbel(p.shape, generator=generator, device=p.device)).argmax(-1)
        if progress is not None:
            progress(step + 1, steps)
    return codes
