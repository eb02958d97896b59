"""Pictures of series: a grid of panels, in each the channels one above the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.modality import Panel

__all__ = ["plot_grid"]

_LINES = 12
"""Up to so many channels are drawn as lines; more become rows of an image."""


def plot_grid(
    path: Path,
    grid: Sequence[Sequence[Panel]],
    *,
    names: Sequence[str] | None = None,
    step: float = 1.0,
    unit: str = "steps",
) -> None:
    """Draw rows of panels, ``(V, F)`` each, into one picture.

    A channel has the same position, colour and scale in every panel, so that panels compare at a
    glance; its range over the whole grid stands under its name at the left.

    Args:
        path: The picture to write, ``.png`` or ``.pdf``.
        grid: Rows of panels; rows may differ in length.
        names: Names of the channels.
        step: Time between two steps, in ``unit``.
        unit: Unit of time, shown at the axis.

    Raises:
        InputError: There is no panel, panels differ in their number of channels, or the file cannot be
            written.
    """
    panels = [panel for row in grid for panel in row]
    channels = {panel.frames.shape[1] for panel in panels}
    if len(channels) != 1:
        raise InputError(
            f"{path}: a picture needs panels with equal channels; got {sorted(channels) or 'none'}"
        )
    count = channels.pop()
    names = (
        list(names) if names is not None and len(names) == count else [f"channel {i}" for i in range(count)]
    )
    stacked = np.concatenate([panel.frames.detach().float().cpu().numpy() for panel in panels])
    low, high = stacked.min(0), stacked.max(0)
    rows, columns = len(grid), max(len(row) for row in grid)
    figure = Figure(
        figsize=(1.2 + 2.9 * columns, 0.5 + rows * max(1.6, 0.45 + 0.32 * min(count, _LINES))),
        layout="constrained",
    )
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    for i, row in enumerate(grid):
        for j in range(columns):
            if j >= len(row):
                axes[i, j].set_visible(False)
                continue
            values = (row[j].frames.detach().float().cpu().numpy() - low) / np.maximum(high - low, 1e-12)
            _panel(axes[i, j], values, step)
            axes[i, j].set_title(row[j].title, fontsize=9)
    for axis in axes.flat:
        axis.tick_params(axis="y", length=0)
    for axis in axes[:, 0]:
        axis.set_yticks(
            _positions(count), [f"{n}\n{a:.3g} … {b:.3g}" for n, a, b in zip(names, low, high, strict=True)]
        )
        axis.tick_params(axis="y", labelsize=7 if count <= _LINES else 5)
        for channel, label in enumerate(axis.get_yticklabels() if count <= _LINES else []):
            label.set_color(_colour(channel))
    for axis in axes[-1]:
        axis.set_xlabel(unit, fontsize=8)
    with replace_file(path) as partial:
        # A pdf records the time of writing unless told otherwise; equal input must give equal files.
        figure.savefig(
            partial, dpi=110, metadata={"CreationDate": None} if path.suffix.lower() == ".pdf" else None
        )


def _positions(count: int) -> np.ndarray:
    return count - 0.5 - np.arange(count)


def _colour(channel: int) -> tuple[float, float, float, float]:
    return matplotlib.colormaps["tab10"](channel % 10)


def _panel(axis: Axes, values: np.ndarray, step: float) -> None:
    steps, count = values.shape
    time = np.arange(steps) * step
    if count > _LINES:
        extent = (0.0, float(steps * step), 0.0, float(count))
        axis.imshow(values.T, aspect="auto", extent=extent, vmin=0, vmax=1, interpolation="nearest")
    else:
        for channel, position in enumerate(_positions(count)):
            axis.plot(
                time, position - 0.42 + 0.84 * values[:, channel], color=_colour(channel), linewidth=1.0
            )
            axis.axhline(position, color="0.85", linewidth=0.6, zorder=0)
    axis.set_ylim(0, count)
    axis.margins(x=0.01)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)
