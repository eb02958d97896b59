"""Traversal: one sequence moved along one principal component of a factor."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdis.core.analysis.principal import PrincipalComponents
from seqdis.core.capabilities import invert
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Factors
from seqdis.core.modality import Panel
from seqdis.core.natural_frames import natural_frames
from seqdis.core.progress import Progress, part_of
from seqdis.core.random import GeneratorLike, stack_generators
from seqdis.core.sequences import Sequences

__all__ = ["TraverseResult", "traverse"]


@dataclass(frozen=True)
class TraverseResult:
    """Sequences whose factor was moved by several amounts along one direction.

    Attributes:
        source: The sequences themselves, ``(B, V, *frame)``.
        amounts: Steps ``α (A,)`` along the direction.
        frames: The decoded sequences, ``(B, A, V, *frame)``; at ``α = 0`` the reconstruction.
        factors: Factors that were decoded, of ``B·A`` sequences.
    """

    source: Tensor
    amounts: Tensor
    frames: Tensor
    factors: Factors

    def grid(self) -> list[list[Panel]]:
        """Titled rows for :meth:`~seqdis.core.modality.Modality.draw`: the source, then one row an amount; one column a sequence."""
        rows = [[Panel("source", frames) for frames in self.source]]
        for index, amount in enumerate(self.amounts.tolist()):
            rows.append([Panel(f"alpha {amount:+.2f}", frames) for frames in self.frames[:, index]])
        return rows


@torch.no_grad()
def traverse(
    model: Disentangler,
    batch: Sequences,
    components: PrincipalComponents,
    *,
    component: int,
    amounts: Tensor,
    generator: GeneratorLike | None = None,
    progress: Progress | None = None,
) -> TraverseResult:
    """Encode, move one factor along component ``i`` (DiffSDA, Eq. 6), decode; all else stays.

    All amounts of a sequence are decoded from the same noise, the inverted one where the method has it,
    so that the results differ by the factor alone.

    Args:
        model: Model in eval mode.
        batch: Sequences to move, ``(B, V, *frame)``.
        components: Principal components of draws of a prior, as
            :func:`~seqdis.core.analysis.principal.principal_components` gives them.
        component: Number ``i`` of the component, from 0.
        amounts: Steps ``α (A,)``, as in ``torch.linspace(-span, span, 7)``.
        generator: Source of random draws, for a decoder that draws.
        progress: Function called as the work advances.

    Raises:
        InputError: There is no such component, or the model's factors are of another shape.
    """
    factors = model.encode(batch)
    moved = components.move(factors.to("cpu"), component, amounts)

    noise = invert(model, batch, factors, progress=part_of(progress, 0, 2))
    copies = len(amounts)
    rows = stack_generators(generator, len(factors))
    if noise is not None:
        noise = noise.repeat_interleave(copies, dim=0)
    decoded = model.decode(
        moved.to(model.device),
        noise=noise,
        generator=rows.repeat(copies),
        progress=part_of(progress, 1, 2),
    ).cpu()
    shown = natural_frames(model, batch).cpu()
    return TraverseResult(shown, amounts, decoded.unflatten(0, (len(factors), copies)), moved)
