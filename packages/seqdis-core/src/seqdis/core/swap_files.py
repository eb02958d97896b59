"""Swaps of a few pairs as files for a person: a picture of all, and media files of each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from seqdis.core.analysis.swap import swap_pairs
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.media import draw_picture, write_media
from seqdis.core.pretrained import config_of
from seqdis.core.progress import Progress
from seqdis.core.registry import get_modality

__all__ = ["write_swaps"]


def write_swaps(
    model: Disentangler,
    dataset: SequenceDataset,
    pairs: Sequence[tuple[int, int]],
    folder: Path,
    *,
    media: int = 0,
    generator: torch.Generator | None = None,
    progress: Progress | None = None,
) -> list[Path]:
    """Draw swaps of pairs, moving as well where the modality can, and write some of them as media files.

    The picture has a column a pair, with the sources, their reconstructions and both swaps; the media files are
    ``source_a``, …, ``swap_b_a`` of :meth:`~seqdis.core.analysis.swap.SwapResult.named`, numbered from 1 where they
    are of several pairs.

    Args:
        model: Model of any method, in evaluation mode.
        dataset: The dataset that holds the sequences of the pairs.
        pairs: The indices of two sequences each.
        folder: The folder of the files.
        media: Number of pairs, the first ones, that are written as media files.
        generator: Source of random draws, for a decoder that draws.
        progress: Called as the work advances.

    Returns:
        The files that were written.

    Raises:
        InputError: A file cannot be written.
    """
    config = config_of(model)
    modality = get_modality(config.modality)
    a, b = (dataset.fetch(list(side)).to(model.device) for side in zip(*pairs, strict=True))
    result = swap_pairs(model, a, b, generator=generator, progress=progress)
    kinds = [kind for kind in dict.fromkeys((modality.pictures[0], ".gif")) if kind in modality.pictures]
    written = [folder / f"swap{kind}" for kind in kinds]
    for path in written:
        draw_picture(modality, path, result.grid(), config.data)
    for name, sequences in result.named().items():
        for number, frames in enumerate(sequences[:media], start=1):
            stem = name if media == 1 else f"{number}_{name}"
            written.append(folder / f"{stem}{modality.writes[0]}")
            write_media(modality, written[-1], frames, config.data)
    return written
