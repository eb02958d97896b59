"""Pictures during training: a few validation clips, their reconstructions and swaps."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from seqdis.core.capabilities import inverts, quick_decoding
from seqdis.core.data.differing_clips import differing_clips
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.steps import existing_steps
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.finite import NotFiniteError
from seqdis.core.modality import Panel
from seqdis.core.natural_frames import natural_frames
from seqdis.core.random import GeneratorStack, mix_seed
from seqdis.core.registry import get_modality

__all__ = ["draw_preview"]

_CLIPS = 4
_logger = logging.getLogger(__name__)


@torch.no_grad()
def draw_preview(model: Disentangler, dataset: SequenceDataset, path: Path, *, seed: int) -> None:
    """Draw one row a clip: the source, its reconstruction, and its static factor with the next clip's dynamics.

    Of a method that inverts there are two reconstructions: from the inverted noise, which carries what the factors lack,
    and from fresh noise.

    A model that has learnt little may decode to numbers that overflow: then nothing is drawn, and one line says so.

    Args:
        model: A model in evaluation mode.
        dataset: The dataset some of whose clips are shown, the same ones every time: such that differ in both
            factors, see :func:`~seqdis.core.data.differing_clips.differing_clips`.
        path: The path of the picture without its suffix: ``.png``, or the first that the modality draws; nothing is drawn
            where it draws none.
        seed: Seed of all random draws of the method.
    """
    if model.run_config is None:
        raise InputError("a preview needs a model built by build_model(config)")
    modality = get_modality(model.run_config.modality)
    if not modality.pictures:
        return
    data = model.run_config.data
    batch = dataset.fetch(differing_clips(dataset, _CLIPS)).to(model.device)
    next_clip = torch.arange(1, len(batch) + 1) % len(batch)

    def rows(stream: int) -> GeneratorStack:
        generator = torch.Generator(model.device).manual_seed(mix_seed(seed, stream))
        return GeneratorStack.spawn(generator, len(batch), model.device)

    try:
        with quick_decoding(model):
            rebuilt = {"reconstruction": model.reconstruct(batch, generator=rows(0))}
            if inverts(model):
                fresh = model.reconstruct(batch, noise="fresh", generator=rows(2))
                rebuilt["reconstruction, fresh noise"] = fresh
            swapped = model.swap(batch, batch[next_clip], generator=rows(1))
    except NotFiniteError as error:
        _logger.warning("%s: not drawn: %s", path.name, error)
        return
    following = None if batch.mask is None else batch.mask[next_clip]
    sources = existing_steps(natural_frames(model, batch).float().cpu(), batch.mask)
    again = {title: existing_steps(frames.float().cpu(), batch.mask) for title, frames in rebuilt.items()}
    mixed = existing_steps(swapped.float().cpu(), following)
    titles = [str(key) for key in batch.keys] or [f"clip {i}" for i in range(len(batch))]
    grid = [
        [
            Panel(title, sources[i]),
            *(Panel(kind, frames[i]) for kind, frames in again.items()),
            Panel(f"with the dynamics of {titles[(i + 1) % len(titles)]}", mixed[i]),
        ]
        for i, title in enumerate(titles)
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    suffix = ".png" if ".png" in modality.pictures else modality.pictures[0]
    modality.draw(path.with_name(path.name + suffix), grid, data)
