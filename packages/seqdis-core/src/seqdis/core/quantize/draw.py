"""Drawing entries of codebooks by Gumbel noise, straight through: plain, and fast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

__all__ = ["DrawnEntries", "draw_entries", "draw_entries_reference", "entry_logits"]

_TINY = 1e-8  # of a squared distance: the root's slope at 0 is infinite, and rounding can put it below
_CACHED = 1 << 18  # numbers that a core's cache holds beside what they are made of


@dataclass(frozen=True)
class DrawnEntries:
    """The entries drawn for N vectors in each of G groups.

    Attributes:
        z: The entries, ``(N, G, dim)``, with the gradient of their mixture.
        codes: The indices of the entries, ``(N, G)``.
        probs: ``p(c_j | m_i)``, ``(N, G, J)``.
    """

    z: Tensor
    codes: Tensor
    probs: Tensor


def entry_logits(m: Tensor, codebook: Tensor, *, scale: float) -> Tensor:
    """``−α·‖m_i − c_j‖₂`` (BCD, Eq. 1); no ``(N, G, J, dim)`` is made.

    Args:
        m: Vectors, ``(N, G, dim)``.
        codebook: The entries of each group, ``(G, J, dim)``.
        scale: Factor on the distances, α.

    Returns:
        ``(N, G, J)``.
    """
    norms = m.square().sum(-1).T[..., None] + codebook.square().sum(-1)[:, None]
    squares = torch.baddbmm(norms, m.transpose(0, 1), codebook.transpose(1, 2), alpha=-2)
    return squares.clamp(min=_TINY).sqrt().transpose(0, 1) * -scale


def draw_entries_reference(
    m: Tensor, codebook: Tensor, uniform: Tensor, *, scale: float, temperature: Tensor, relaxed: bool = False
) -> DrawnEntries:
    """:func:`draw_entries` in plain operations; ``relaxed`` gives the mixture ``Σ_j w_j c_j`` itself."""
    logits = entry_logits(m, codebook, scale=scale)
    perturbed = logits - (-uniform.clamp(min=2.0**-25).log()).log()
    codes, weights = perturbed.detach().argmax(-1), (perturbed / temperature).softmax(-1)
    if not relaxed:
        hard = F.one_hot(codes, codebook.shape[1]).to(weights.dtype)
        weights = hard + (weights - weights.detach())
    z = torch.einsum("ngj,gjd->ngd", weights, codebook)
    return DrawnEntries(z, codes, logits.softmax(-1))


def draw_entries(
    m: Tensor, codebook: Tensor, uniform: Tensor, *, scale: float, temperature: Tensor
) -> DrawnEntries:
    """Draw ``argmax_j(ln p_j + g_j)`` with the gradient of ``Σ_j w_j c_j``, ``w = softmax((ln p + g)/τ)``.

    ``g = −ln(−ln u)`` is Gumbel noise. Without its second logarithm the same entry is ``argmin_j p_j/ln u_j``,
    and the same weights ``w ∝ (−p/ln u)^{1/τ}``. Gradients are written out by hand. On a CPU all goes in parts that
    a cache holds: beside ``u``, which is overwritten, and the probabilities, which are returned, nothing of
    size ``(N, G, J)`` is made.

    Args:
        m: Vectors, ``(N, G, dim)``, float32.
        codebook: The entries of each group, ``(G, J, dim)``, float32.
        uniform: Uniform draws ``u`` on [0, 1), ``(N, G, J)``; overwritten.
        scale: Factor on the distances, α of :func:`entry_logits`.
        temperature: Temperature of the mixture, τ, a scalar tensor.
    """
    z, codes, probs = _Draw.apply(m, codebook, uniform, scale, temperature)  # type: ignore[no-untyped-call]
    return DrawnEntries(z, codes, probs)


def _parts(m: Tensor, codebook: Tensor) -> list[slice]:
    """The slices of groups that are computed at once: all of them, unless the CPU's cache is too small."""
    size = max(1, _CACHED // (len(m) * codebook.shape[1])) if m.device.type == "cpu" else len(codebook)
    return [slice(start, start + size) for start in range(0, len(codebook), size)]


class _Draw(torch.autograd.Function):
    """The differentiable draw of :func:`draw_entries`, on tensors whose first dimension is the group."""

    @staticmethod
    def forward(
        ctx: Any, m: Tensor, codebook: Tensor, uniform: Tensor, scale: float, temperature: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        (count, groups, dim), entries = m.shape, codebook.shape[1]
        probs, codes = m.new_empty(groups, count, entries), m.new_empty(count, groups, dtype=torch.long)
        ratio = uniform.log_()
        parts = _parts(m, codebook)
        space = torch.empty_like(probs[parts[0]])
        for part in parts:
            x, c, r = m[:, part].transpose(0, 1), codebook[part], ratio[:, part].transpose(0, 1)
            logits = _distances(x, c, out=space[: len(c)]).mul_(-scale)
            race = torch.div(torch.softmax(logits, -1, out=probs[part]), r, out=logits)
            codes[:, part] = race.min(-1).indices.T
            r.copy_(race)
        row = codes + torch.arange(0, groups * entries, entries, device=m.device)
        ctx.mark_non_differentiable(codes)
        ctx.save_for_backward(m, codebook, ratio, probs, row, temperature)
        ctx.scale = scale
        return F.embedding(row, codebook.reshape(-1, dim)), codes, probs.transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, to_z: Tensor, _: Tensor, to_probs: Tensor) -> tuple[Tensor | None, ...]:
        m, codebook, ratio, probs, row, temperature = ctx.saved_tensors
        to_m, to_codebook = torch.empty_like(m), torch.zeros_like(codebook)
        to_codebook.flatten(0, 1).index_add_(0, row.flatten(), to_z.flatten(0, 1))
        parts = _parts(m, codebook)
        # Fresh memory for every part would cost more than what is done in it.
        spaces = torch.empty_like(probs[parts[0]]), torch.empty_like(probs[parts[0]])
        for part in parts:
            x, c, p = m[:, part].transpose(0, 1), codebook[part], probs[part]
            w, slope = (space[: len(c)] for space in spaces)
            torch.neg(ratio[:, part].transpose(0, 1), out=w).log_().div_(temperature)
            torch.softmax(w, -1, out=w)
            # Through softmax: p∘(g − ⟨p, g⟩), once for the entry that went on and once for p.
            torch.bmm((to_z[:, part] / temperature).transpose(0, 1), c.transpose(1, 2), out=slope).mul_(w)
            slope.addcmul_(w, slope.sum(-1, keepdim=True), value=-1)
            of_p = torch.mul(to_probs[:, part].transpose(0, 1), p, out=w)
            slope.add_(of_p).addcmul_(p, of_p.sum(-1, keepdim=True), value=-1)
            # Through ‖m − c‖, whose slope is (m − c)/‖m − c‖; the factor −α comes last.
            slope.div_(_distances(x, c, out=w))
            to_x = torch.baddbmm(x * slope.sum(-1, keepdim=True), slope, c, alpha=-1)
            to_m[:, part] = to_x.mul_(-ctx.scale).transpose(0, 1)
            to_c = torch.baddbmm(c * slope.sum(1)[..., None], slope.transpose(1, 2), x, alpha=-1)
            to_codebook[part].sub_(to_c, alpha=ctx.scale)
        return to_m, to_codebook, None, None, None


def _distances(m: Tensor, codebook: Tensor, *, out: Tensor) -> Tensor:
    """``‖m_i − c_j‖₂``, ``(G, N, J)`` of ``(G, N, dim)``, into ``out``."""
    torch.add(m.square().sum(-1, keepdim=True), codebook.square().sum(-1)[:, None], out=out)
    return out.baddbmm_(m, codebook.transpose(1, 2), alpha=-2).clamp_(min=_TINY).sqrt_()
