"""Frames of a part of a sound, equal to those of the whole, from the samples that they depend on alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import torch
from torch import Tensor

from seqdis.audio.mel import LogMel

__all__ = ["segment_frames", "segment_wave"]

ReadSamples = Callable[[int, int], Tensor]
"""A function from the first sample and the one behind the last to these samples, ``(last - first,)``."""


def segment_wave(analyse: LogMel, first: int, last: int, *, samples: int, read: ReadSamples) -> Tensor:
    """The samples that frames ``[first, last)`` of a sound depend on, ``((last - first - 1) · hop + 2 · context,)``.

    The sound is mirrored at its edges, after silence where it is too short for that, as :class:`LogMel` does.

    Args:
        analyse: The log-mel analysis.
        first: The first frame.
        last: The frame behind the last.
        samples: Number of samples of the whole sound, N.
        read: A function that reads samples ``[first, last)`` of it.
    """
    context, hop = analyse.context, analyse.options.hop
    total = max(samples, context + 1)
    start, stop = first * hop - context, (last - 1) * hop + context
    left, right = max(0, -start), max(0, stop - total)
    # A mirror at an edge needs as many samples on its other side.
    begin, end = min(max(start, 0), total - 1 - right), max(min(stop, total), left + 1)
    wave = read(begin, min(end, samples))
    wave = torch.nn.functional.pad(wave, (0, end - max(begin, min(end, samples))))
    wave = torch.nn.functional.pad(wave[None], (left, right), mode="reflect")[0]
    offset = start - (begin - left)
    return wave[offset : offset + stop - start]


def segment_frames(analyse: LogMel, steps: Tensor, *, samples: int, read: ReadSamples) -> Tensor:
    """The frames ``(K, bins)`` at some steps of a sound, bit for bit those of its whole analysis.

    Steps whose samples overlap are read at once.

    Args:
        analyse: The log-mel analysis.
        steps: Numbers of the frames in increasing order, ``(K,)``.
        samples: Number of samples of the whole sound, N.
        read: A function that reads samples ``[first, last)`` of it.
    """
    apart = 2 * analyse.context // analyse.options.hop + 1
    edges = [0, *((steps.diff() > apart).nonzero().flatten() + 1).tolist(), len(steps)]
    parts = []
    for begin, end in itertools.pairwise(edges):
        run = steps[begin:end]
        for block in _blocks(run):
            first, last = int(block[0]), int(block[-1]) + 1
            wave = segment_wave(analyse, first, last, samples=samples, read=read)
            parts.append(analyse.padded(wave)[block - first])
    return torch.cat(parts)


def _blocks(steps: Tensor, width: int = 4096) -> list[Tensor]:
    """The steps in parts that span at most ``width`` frames."""
    cuts = (steps - steps[0]) // width
    return [steps[cuts == number] for number in cuts.unique()]
