"""Sections with clips: swaps, reconstructions, drawn samples, traversals; for any modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from seqdis.core.analysis import SwapMatrix, TraverseResult
from seqdis.core.data.labels import Label
from seqdis.core.data.steps import existing_steps
from seqdis.core.factors import Side
from seqdis.core.modality import Panel
from seqdis.core.sequences import Sequences
from seqdis.eval.metrics.squared_error import clip_errors
from seqdis.eval.report.blocks import Card, Cards, Cell, Matrix
from seqdis.eval.report.media import Media, Showroom

__all__ = ["describe", "drawn_card", "reconstruction_cards", "sample_cards", "swap_block", "traverse_block"]


def describe(batch: Sequences, labels: Mapping[str, Label], index: int, factor: Side) -> list[str]:
    """The labels of one clip on one side, in words: ``["light", "red"]``; a number comes with its name."""
    words = []
    for name, label in labels.items():
        if label.factor == factor and name in batch.labels:
            word = label.classes[int(batch.labels[name][index])]
            words.append(f"{name} {word}" if word.lstrip("-").replace(".", "").isdigit() else word)
    return words


def _names(batch: Sequences) -> list[str]:
    return [str(key) for key in batch.keys] or [f"clip {i + 1}" for i in range(len(batch))]


def swap_block(
    show: Showroom, result: SwapMatrix, batch: Sequences, labels: Mapping[str, Label]
) -> Matrix | Cards:
    """All swaps as a matrix where clips play, else a card a pair."""
    names, count = _names(batch), len(result.sources)
    who, how = ([describe(batch, labels, i, side) for i in range(count)] for side in ("static", "dynamic"))
    if not show.moves:
        cards = []
        for i in range(count):
            j = (i + 1) % count
            panels = [
                Panel("static factor from", result.source(i)),
                Panel("dynamics from", result.source(j)),
                Panel("swap", result.swap(i, j)),
            ]
            parts = [", ".join(words) or name for words, name in ((who[i], names[i]), (how[j], names[j]))]
            cards.append(drawn_card(show, " + ".join(parts), panels))
        return Cards(cards, "large")
    cells = [
        [
            Cell(
                show.clip(
                    result.swap(i, j),
                    f"{names[i]} reconstructed"
                    if i == j
                    else f"swap: static factor of {names[i]}, dynamics of {names[j]}",
                ),
                mark=i == j,
            )
            for j in range(count)
        ]
        for i in range(count)
    ]
    sources = [show.clip(result.source(i), f"source {name}") for i, name in enumerate(names)]
    return Matrix(
        caption="Every static factor with every dynamic one; on the diagonal the reconstructions.",
        down="static factor of",
        across="dynamics of",
        rows=[Cell(media, "\n".join(words)) for media, words in zip(sources, who, strict=True)],
        columns=[Cell(media, "\n".join(words)) for media, words in zip(sources, how, strict=True)],
        cells=cells,
    )


def reconstruction_cards(
    show: Showroom, batch: Sequences, rebuilt: Mapping[str, Tensor], notes: Sequence[str] | None = None
) -> Cards:
    """Each source with its reconstructions.

    Args:
        show: Showroom that shows sequences.
        batch: Sequences that are the sources.
        rebuilt: Reconstructions by the noise that they start from, each shaped like ``batch.x``; the name is empty where a
            method has one alone.
        notes: A line a clip; the errors of its reconstructions when omitted.
    """
    cards = []
    errors = {kind: clip_errors(batch, frames).tolist() for kind, frames in rebuilt.items()}
    sources = existing_steps(batch.x.cpu(), batch.mask)
    shown = {kind: existing_steps(frames.cpu(), batch.mask) for kind, frames in rebuilt.items()}
    for number, (name, x) in enumerate(zip(_names(batch), sources, strict=True)):
        panels = [Panel("source", x)]
        panels += [
            Panel(f"reconstruction, {kind}" if kind else "reconstruction", frames[number])
            for kind, frames in shown.items()
        ]
        known = {kind: values[number] for kind, values in errors.items() if values[number] == values[number]}
        told = [f"MSE {error:.3g}" + (f" from {kind}" if kind else "") for kind, error in known.items()]
        note = ", ".join(told) if notes is None else notes[number]
        if show.moves:
            items = [(panel.title, show.clip(panel.frames, f"{panel.title} of {name}")) for panel in panels]
            cards.append(Card(name, items, note))
        else:
            cards.append(drawn_card(show, name, panels, note))
    return Cards(cards, "small" if show.moves else "large")


def sample_cards(show: Showroom, frames: Tensor, name: str) -> Cards:
    """New sequences, ``(N, V, *frame)``."""
    if show.moves:
        return Cards(
            [Card("", [("", show.clip(x, f"{name} {i + 1}"))]) for i, x in enumerate(frames)], "small"
        )
    return Cards([drawn_card(show, "", [Panel(f"{name} {i + 1}", x)]) for i, x in enumerate(frames)], "large")


def traverse_block(show: Showroom, results: Mapping[str, TraverseResult]) -> Matrix | Cards:
    """One sequence moved along directions, by the name of each."""
    if show.moves:
        amounts = next(iter(results.values())).amounts.tolist()
        return Matrix(
            caption="One clip at places along principal components; α = 0 is its reconstruction.",
            down="component",
            across="α",
            rows=list(results),
            columns=[_position(amount) for amount in amounts],
            cells=[
                [
                    Cell(show.clip(frames, f"{name}, {_position(amount)}"), mark=amount == 0)
                    for amount, frames in zip(amounts, result.frames[0], strict=True)
                ]
                for name, result in results.items()
            ],
        )
    cards = []
    for name, result in results.items():
        # The ends and the middle: more would not fit one above the other.
        chosen = [0, len(result.amounts) // 2, len(result.amounts) - 1]
        panels = [Panel(_position(float(result.amounts[i])), result.frames[0, i]) for i in chosen]
        cards.append(drawn_card(show, name, panels))
    return Cards(cards, "large")


def _position(amount: float) -> str:
    return f"α = {amount:+.2g}" if amount else "α = 0"


def drawn_card(show: Showroom, title: str, panels: Sequence[Panel], note: str = "") -> Card:
    """A picture of all panels on one scale, and below it a player each where they sound."""
    words = ", ".join(panel.title for panel in panels)
    picture = show.picture(panels, f"{title}: {words}" if title else words)
    items: list[tuple[str, Media]] = [("", picture)] if picture is not None else []
    for panel in panels:
        sound = show.sound(panel.frames, f"{title}: {panel.title}" if title else panel.title)
        if sound is not None:
            items.append((panel.title, sound))
    if not items:
        note = f"{note} this modality has no form that a page can show".strip()
    return Card(title, items, note)
