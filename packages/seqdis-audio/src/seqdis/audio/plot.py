"""Mel pictures: time across, pitch upwards, one colour scale for all panels."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torchaudio.functional as audio
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from torch import Tensor

from seqdis.audio.options import AudioOptions
from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.modality import Panel

__all__ = ["band_centres", "draw_mels"]

_PANEL_INCHES = (3.0, 2.0)
_MARGIN_INCHES = (1.6, 0.6)
_LOUDEST = 6.0
_TICKS_KHZ = (0.25, 0.5, 1, 2, 4, 8, 16)


def band_centres(bins: int, options: AudioOptions) -> Tensor:
    """The frequency in Hz at which each mel band peaks, ``(bins,)``."""
    # A bank of many linear frequencies is read at its peaks, so that there is one mel scale: torchaudio's.
    points = 1 << 15
    bank = audio.melscale_fbanks(
        points, options.f_min, options.f_max, bins, options.sample_rate, None, "slaney"
    )
    return bank.argmax(0) * (options.sample_rate / 2 / (points - 1))


def _label_axes(axes: Axes, centres: Tensor) -> None:
    ticks = [(f, int((centres - 1000 * f).abs().argmin())) for f in _TICKS_KHZ]
    ticks = [(f, at) for f, at in ticks if centres[0] <= 1000 * f <= 1.03 * centres[-1]]
    axes.set_yticks([at for _, at in ticks], [f"{f:g}" for f, _ in ticks])
    axes.set_ylabel("kHz (mel scale)", fontsize=8)
    axes.set_xlabel("time (s)", fontsize=8)
    axes.tick_params(labelsize=7)
    axes.label_outer()


def _colour_limits(panels: Sequence[Panel], options: AudioOptions) -> tuple[float, float]:
    # Within what sound can reach, so that one panel of a model gone astray does not bleach the others.
    spectra = [panel.frames.clamp(math.log(options.floor), _LOUDEST) for panel in panels]
    low, high = min(float(x.min()) for x in spectra), max(float(x.max()) for x in spectra)
    return low, max(high, low + 1e-6)


def draw_mels(path: Path, grid: Sequence[Sequence[Panel]], options: AudioOptions) -> None:
    """Draw panels of log-mel frames ``(T, bins)`` as a grid; rows may differ in length.

    Raises:
        InputError: There is no panel, or one holds other than ``(T, bins)``.
    """
    panels = [panel for row in grid for panel in row]
    if not panels:
        raise InputError(f"{path}: a picture needs at least one panel; got none")
    for panel in panels:
        if panel.frames.ndim != 2 or 0 in panel.frames.shape:
            raise InputError(f"panel {panel.title!r}: frames {tuple(panel.frames.shape)}; allowed: (T, bins)")
    rows, columns = len(grid), max(len(row) for row in grid)
    low, high = _colour_limits(panels, options)
    width, height = _PANEL_INCHES[0] * columns, _PANEL_INCHES[1] * rows
    figure = Figure((width + _MARGIN_INCHES[0], height + _MARGIN_INCHES[1]), layout="constrained")
    FigureCanvasAgg(figure)
    every = figure.subplots(rows, columns, squeeze=False)
    scale = ScalarMappable(Normalize(low, high), "magma")
    for line, row in zip(every, grid, strict=True):
        for axes in line[len(row) :]:
            axes.set_axis_off()
        for axes, panel in zip(line, row, strict=False):
            steps, bins = panel.frames.shape
            axes.imshow(
                panel.frames.T.float().cpu().numpy(), origin="lower", aspect="auto", cmap=scale.cmap,
                norm=scale.norm, interpolation="nearest",
                extent=(0.0, steps * options.hop / options.sample_rate, -0.5, bins - 0.5),
            )  # fmt: skip
            axes.set_title(panel.title, fontsize=9)
            _label_axes(axes, band_centres(bins, options))
    bar = figure.colorbar(scale, ax=list(every.flat), shrink=min(1.0, 1.5 / rows), aspect=15)
    bar.set_label("ln mel power", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    with replace_file(path) as partial:
        figure.savefig(partial, dpi=120, metadata={"Software": None})
