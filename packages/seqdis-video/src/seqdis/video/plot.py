"""Pictures of sequences: a grid of film strips, or of clips that play."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from seqdis.core.errors import InputError
from seqdis.core.files import replace_file
from seqdis.core.finite import check_finite
from seqdis.core.modality import Panel
from seqdis.video.writing import save_gif

__all__ = ["animated_grid", "draw_grid", "strip_grid"]

_PAPER, _INK = (255, 255, 255), (32, 32, 32)
_GAP, _FONT_SIZE, _LINE = 14, 14, 18
_STRIP_FRAMES = 10


def draw_grid(path: Path, grid: Sequence[Sequence[Panel]], *, fps: float) -> None:
    """Draw rows of titled panels: film strips for ``.png``, clips that play for ``.gif``.

    Raises:
        InputError: There is no panel, its frames are not ``(V, 3, H, W)`` or ``(V, 1, H, W)``, or the file
            cannot be written.
    """
    panels = [panel for row in grid for panel in row]
    if not panels:
        raise InputError(f"{path}: a picture needs at least one panel; got none")
    for panel in panels:
        if panel.frames.ndim != 4 or panel.frames.shape[1] not in (1, 3) or not len(panel.frames):
            shape = tuple(panel.frames.shape)
            raise InputError(f"panel {panel.title!r}: frames of shape {shape}; allowed: (V, 3 or 1, H, W)")
        check_finite(panel.frames, f"panel {panel.title!r}")
    with replace_file(path) as partial:
        if path.suffix.lower() == ".gif":
            save_gif(partial, animated_grid(grid), fps=fps)
        else:
            strip_grid(grid).save(partial)


def strip_grid(grid: Sequence[Sequence[Panel]]) -> Image.Image:
    """Every panel as a film strip under its title; of long clips, ten frames evenly spaced."""
    return _compose([[(panel.title, _strip(panel)) for panel in row] for row in grid])


def animated_grid(grid: Sequence[Sequence[Panel]]) -> list[Image.Image]:
    """The pictures of an animation: at step τ every panel shows its frame τ; short clips hold their last."""
    clips = [[(panel.title, _pictures(panel, smallest=112, largest=256)) for panel in row] for row in grid]
    steps = max(len(pictures) for row in clips for _, pictures in row)
    return [
        _compose(
            [[(title, pictures[min(step, len(pictures) - 1)]) for title, pictures in row] for row in clips]
        )
        for step in range(steps)
    ]


def _strip(panel: Panel) -> Image.Image:
    total = len(panel.frames)
    chosen = torch.linspace(0, total - 1, min(total, _STRIP_FRAMES)).round().long()
    pictures = _pictures(
        Panel(panel.title, panel.frames[chosen.to(panel.frames.device)]), smallest=64, largest=128
    )
    width, height = pictures[0].size
    strip = Image.new("RGB", (len(pictures) * (width + 2) - 2, height), _PAPER)
    for index, picture in enumerate(pictures):
        strip.paste(picture, (index * (width + 2), 0))
    return strip


def _pictures(panel: Panel, *, smallest: int, largest: int) -> list[Image.Image]:
    # Whole-number nearest enlargement keeps the pixels of small frames square and sharp.
    frames = panel.frames.detach().cpu().float().expand(-1, 3, -1, -1)
    values = (frames.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
    pictures = [Image.fromarray(frame) for frame in values]
    width, height = pictures[0].size
    if min(width, height) < smallest:
        factor = -(-smallest // min(width, height))
        return [p.resize((width * factor, height * factor), Image.Resampling.NEAREST) for p in pictures]
    if max(width, height) > largest:
        scale = largest / max(width, height)
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        return [p.resize(size, Image.Resampling.LANCZOS) for p in pictures]
    return pictures


def _wrap(title: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> list[str]:
    lines = [""]
    for word in title.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _compose(grid: list[list[tuple[str, Image.Image]]]) -> Image.Image:
    font = ImageFont.load_default(size=_FONT_SIZE)
    columns = max(len(row) for row in grid)
    widths = [max((row[c][1].width for row in grid if c < len(row)), default=0) for c in range(columns)]
    titles = [[_wrap(title, font, widths[c]) for c, (title, _) in enumerate(row)] for row in grid]
    # A single long word may still be wider than its panel.
    for wrapped in titles:
        for c, lines in enumerate(wrapped):
            widths[c] = max(widths[c], *(int(font.getlength(line)) + 1 for line in lines))
    heads = [_LINE * max((len(lines) for lines in row), default=0) for row in titles]
    bodies = [max((picture.height for _, picture in row), default=0) for row in grid]
    size = (sum(widths) + _GAP * (columns + 1), sum(heads) + sum(bodies) + _GAP * (len(grid) + 1))
    sheet = Image.new("RGB", size, _PAPER)
    pen = ImageDraw.Draw(sheet)
    top = _GAP
    for row, lines_of, head, body in zip(grid, titles, heads, bodies, strict=True):
        left = _GAP
        for (_, picture), lines, width in zip(row, lines_of, widths, strict=False):
            for index, line in enumerate(reversed(lines), start=1):
                pen.text((left, top + head - index * _LINE), line, fill=_INK, font=font)
            sheet.paste(picture, (left, top + head))
            left += width + _GAP
        top += head + body + _GAP
    return sheet
