"""Temperature, top-k and top-p: the part of a categorical distribution that is drawn from."""

from __future__ import annotations

from torch import Tensor

__all__ = ["truncated_probabilities"]


def truncated_probabilities(
    logits: Tensor, *, temperature: float = 1.0, top_k: int | None = None, top_p: float | None = None
) -> Tensor:
    """``p ∝ softmax(logits/T)``, on its k likeliest entries, and of those on the fewest that hold ``top_p`` of it.

    Args:
        logits: Logits of J entries, ``(…, J)``.
        temperature: Temperature T; 1 leaves the distribution as it is, a lower one sharpens it.
        top_k: Number of entries kept (Fan et al. 2018); all when omitted. 1 keeps the likeliest alone.
        top_p: Probability kept, after ``top_k`` (the nucleus of Holtzman et al. 2020); all when omitted.

    Returns:
        Probabilities ``(…, J)``; of equally likely entries the first count as the likelier.
    """
    p, order = (logits.float() / temperature).softmax(-1).sort(dim=-1, descending=True, stable=True)
    if top_k is not None:
        p[..., top_k:] = 0
        p = p / p.sum(-1, keepdim=True)
    if top_p is not None and top_p < 1:
        before = p.cumsum(-1) - p
        p = p.where(before < top_p, 0)
        p = p / p.sum(-1, keepdim=True)
    return p.new_zeros(p.shape).scatter(-1, order, p)
