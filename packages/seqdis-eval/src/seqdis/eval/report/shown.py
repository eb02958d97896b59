"""What the page of a protocol shows of a run, beside its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from seqdis.core.analysis import PrincipalComponents, evaluating, row_sources, swap_matrix, traverse
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.factors import Side
from seqdis.core.modality import Panel
from seqdis.core.priors.prior import Prior
from seqdis.eval.engine.reconstruction_error import clip_errors
from seqdis.eval.judge.interface import Judge
from seqdis.eval.protocols.generation import drawn_clips
from seqdis.eval.report.blocks import Card, Cards, Section
from seqdis.eval.report.clips import drawn_card, reconstruction_cards, swap_block, traverse_block
from seqdis.eval.report.media import Showroom

__all__ = ["consistency_shown", "generation_shown", "reconstruction_shown", "swaps_shown", "traversals_shown"]

_CLIPS = 4


def _chosen(test_set: SequenceDataset, seed: int, count: int = _CLIPS) -> list[int]:
    order = torch.randperm(len(test_set), generator=torch.Generator().manual_seed(seed))
    return sorted(order[:count].tolist())


def swaps_shown(model: Disentangler, test_set: SequenceDataset, show: Showroom, seed: int) -> Section:
    """Every static factor with every dynamic one, of a few clips."""
    batch = test_set.fetch(_chosen(test_set, seed))
    with evaluating(model):
        result = swap_matrix(model, batch.to(model.device), generator=torch.Generator().manual_seed(seed))
    note = "Test clips that the seed alone chooses: who or what from one, what happens from another."
    return Section("Swaps", [swap_block(show, result, batch, test_set.labels)], note)


def reconstruction_shown(
    model: Disentangler, test_set: SequenceDataset, show: Showroom, seed: int
) -> Section:
    """A few clips beside what comes back, with their errors."""
    rows = _chosen(test_set, seed, 6)
    batch = test_set.fetch(rows)
    rebuilt = _rebuilt(model, test_set, rows, seed)
    notes = ["" if error != error else f"MSE {error:.3g}" for error in clip_errors(batch, rebuilt).tolist()]
    note = "Test clips that the seed alone chooses."
    return Section("Reconstructions", [reconstruction_cards(show, batch, rebuilt, notes)], note)


def consistency_shown(
    model: Disentangler, judge: Judge, test_set: SequenceDataset, show: Showroom, seed: int
) -> Section:
    """Clips and reconstructions of which the judge says different things; where it never does, any."""
    pool = _chosen(test_set, seed, 16)
    batch, rebuilt = test_set.fetch(pool), _rebuilt(model, test_set, pool, seed)
    real, made = judge.predict(batch.x, batch.mask), judge.predict(rebuilt, batch.mask)
    differs = torch.stack([real[name] != made[name] for name in test_set.labels]).any(0)
    order = torch.argsort((~differs).long(), stable=True)[:6].tolist()
    notes = []
    for place in order:
        words = [
            _change(name, label.classes[int(real[name][place])], label.classes[int(made[name][place])])
            for name, label in test_set.labels.items()
            if real[name][place] != made[name][place]
        ]
        notes.append(", ".join(words) or "the same")
    some = test_set.fetch([pool[place] for place in order])
    note = (
        f"The judge says different things of {int(differs.sum())} of {len(pool)} clips that the seed alone chooses; "
        "these come first, with what it says of the source and of the reconstruction."
    )
    return Section("Disagreements", [reconstruction_cards(show, some, rebuilt[order], notes)], note)


def _change(name: str, before: str, after: str) -> str:
    told = f"{before} → {after}"
    return told if before.startswith(name) else f"{name}: {told}"


def generation_shown(
    model: Disentangler, prior: Prior, test_set: SequenceDataset, show: Showroom, seed: int
) -> Section:
    """A few clips, each with one factor drawn anew, and then the other."""
    rows = _chosen(test_set, seed)
    batch = test_set.fetch(rows)
    views: dict[str, Tensor] = {"source": batch.x}
    titles: dict[Side, str] = {"dynamic": "static drawn", "static": "dynamics drawn"}
    with evaluating(model):
        for side, title in titles.items():
            views[title] = drawn_clips(
                model, prior, batch.to(model.device), side, row_sources(seed, rows)
            ).cpu()
    cards = []
    for place, key in enumerate(batch.keys):
        if show.moves:
            items = [(title, show.clip(x[place], f"{title}, {key}")) for title, x in views.items()]
            cards.append(Card(str(key), items))
        else:
            cards.append(drawn_card(show, str(key), [Panel(title, x[place]) for title, x in views.items()]))
    note = (
        "Test clips that the seed alone chooses: their dynamics with another static factor, and the reverse."
    )
    return Section("Drawn clips", [Cards(cards, "small" if show.moves else "large")], note)


def traversals_shown(
    model: Disentangler,
    directions: Mapping[Side, PrincipalComponents],
    test_set: SequenceDataset,
    amounts: Tensor,
    show: Showroom,
    seed: int,
) -> Section:
    """One clip moved along the first components of both factors."""
    rows = _chosen(test_set, seed, 1)
    batch, results = test_set.fetch(rows).to(model.device), {}
    with evaluating(model):
        for side, components in directions.items():
            for number in range(len(components)):
                name = f"{side} {number} ({float(components.explained[number]):.0%} of the variance)"
                results[name] = traverse(
                    model, batch, components, component=number, amounts=amounts,
                    generator=row_sources(seed, rows),
                )  # fmt: skip
    note = "One test clip that the seed alone chooses; a factor moves along components of the prior's draws."
    return Section("Traversals", [traverse_block(show, results)], note)


def _rebuilt(model: Disentangler, test_set: SequenceDataset, rows: Sequence[int], seed: int) -> Tensor:
    batch = test_set.fetch(rows).to(model.device)
    with evaluating(model):
        return model.reconstruct(batch, generator=row_sources(seed, rows)).cpu()
