"""Shapes: the labels can be read off the pixels by rules that know nothing of the renderer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from seqdis.core.config import DataConfig
from seqdis.core.errors import InputError
from seqdis.core.sequences import Sequences
from seqdis.video.datasets.shapes import COUNTS, LABELS, build_shapes, render_shapes


def _split(split: str = "val", *, size: int = 16, length: int = 6, seed: int = 0) -> Sequences:
    dataset = build_shapes(
        DataConfig(dataset="shapes", length=length, frame_shape=(3, size, size)), split, None, seed
    )
    return dataset.fetch(range(len(dataset)))


def _weight(x: Tensor) -> Tensor:
    # How much of the figure is in each pixel: the distance from the background, which is the darkest.
    grey = x.amax(2)
    return (grey - grey.amin((-2, -1), keepdim=True)).clamp(min=0)


def _centres(weight: Tensor) -> Tensor:
    height, width = weight.shape[-2:]
    total = weight.sum((-2, -1))
    x = (weight.sum(-2) * torch.arange(width)).sum(-1) / total
    y = (weight.sum(-1) * torch.arange(height)).sum(-1) / total
    return torch.stack([x, y], -1)


def test_shape_range_and_counts() -> None:
    for split, count in COUNTS.items():
        batch = _split(split)
        assert batch.x.shape == (count, 6, 3, 16, 16)
    assert 0 <= batch.x.min() < batch.x.max() <= 1
    for name, label in LABELS.items():
        share = batch.labels[name].bincount(minlength=len(label.classes)) / len(batch)
        assert (share - 1 / len(label.classes)).abs().max() < 0.06


def test_the_colour_is_the_nearest_pure_one() -> None:
    batch = _split()
    brightest = _weight(batch.x).flatten(1).argmax(1)
    colour = (
        batch.x.movedim(2, -1).flatten(1, 3).gather(1, brightest[:, None, None].expand(-1, 1, 3)).squeeze(1)
    )
    pure = {
        "red": (1, 0, 0),
        "yellow": (1, 1, 0),
        "green": (0, 1, 0),
        "cyan": (0, 1, 1),
        "blue": (0, 0, 1),
        "magenta": (1, 0, 1),
    }
    table = torch.tensor([pure[name] for name in LABELS["colour"].classes]).float()
    assert torch.equal(torch.cdist(colour, table).argmin(1), batch.labels["colour"])


def test_the_path_is_how_the_centre_moves() -> None:
    batch = _split()
    centres = _centres(_weight(batch.x))
    ahead = centres.roll(-1, 1)
    # Shoelace: twice the signed area of the path; positive is clockwise where y points down.
    area = (centres[..., 0] * ahead[..., 1] - ahead[..., 0] * centres[..., 1]).sum(1)
    moved = centres[:, -1] - centres[:, 0]
    found = []
    for a, (dx, dy) in zip(area.tolist(), moved.tolist(), strict=True):
        if abs(a) > 10:
            found.append("clockwise" if a > 0 else "counterclockwise")
        elif abs(dx) > abs(dy):
            found.append("right" if dx > 0 else "left")
        else:
            found.append("down" if dy > 0 else "up")
    expected = [LABELS["path"].classes[i] for i in batch.labels["path"].tolist()]
    assert found == expected


def test_the_pose_is_how_the_area_changes() -> None:
    batch = _split()
    mass = _weight(batch.x).sum((-2, -1))
    ratio = (mass[:, -1] / mass[:, 0]).log()
    found = torch.where(ratio > np.log(1.6), 1, torch.where(ratio < -np.log(1.6), 2, 0))
    assert torch.equal(found, batch.labels["pose"])


# Areas over the squared radius, by school geometry: a square of half side 0.64 r, and a lying and a standing
# bar of half sides r and 0.40 r.
AREAS = ((2 * 0.64) ** 2, 2 * 0.80, 2 * 0.80)


@pytest.mark.parametrize("kind", range(3))
def test_the_figures_have_their_areas_at_any_size(kind: int) -> None:
    for size in (16, 48):
        middle = np.full((1, 8), 0.5, dtype=np.float32)  # no jitter: radius 0.28 · 0.86 of the side
        frames = render_shapes(np.array([[kind, 0, 0, 0]]), middle, length=5, height=size, width=size)
        red = frames[0, 2, 0].astype(float)
        coverage = (red - red.min()) / (red.max() - red.min())
        assert coverage.sum() == pytest.approx(
            AREAS[kind] * (0.28 * 0.86 * size) ** 2, rel=0.05 if size == 16 else 0.01
        )


def test_the_shape_is_told_by_its_outline() -> None:
    batch = _split(size=48, length=3)
    solid = _weight(batch.x)[:, 1] > 0.5 * _weight(batch.x)[:, 1].amax((-2, -1), keepdim=True)
    found = []
    for mask in solid:
        rows, columns = mask.any(1).nonzero().flatten(), mask.any(0).nonzero().flatten()
        box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].float()
        height, width = box.shape
        found.append(1 if width > 1.6 * height else 2 if height > 1.6 * width else 0)
    agreement = torch.tensor(found).eq(batch.labels["shape"]).float().mean()
    assert agreement > 0.97  # a few figures touch the border, where their box is cut


def test_clips_differ_even_with_equal_labels_and_across_splits() -> None:
    train, test = _split("train").x.flatten(1), _split("test").x.flatten(1)
    together = torch.cat([train, test])
    assert len(together.unique(dim=0)) == len(together)


def test_seeds_repeat_and_differ() -> None:
    assert torch.equal(_split(seed=1).x, _split(seed=1).x)
    assert not torch.equal(_split(seed=1).x, _split(seed=2).x)


def test_other_sizes() -> None:
    assert _split(size=24, length=2).x.shape == (COUNTS["val"], 2, 3, 24, 24)
    wide = render_shapes(np.zeros((2, 4), dtype=int), np.zeros((2, 8)), length=4, height=16, width=32)
    assert wide.shape == (2, 4, 3, 16, 32)


def test_frames_too_small_are_refused() -> None:
    with pytest.raises(InputError, match=r"draws frames \(3, H, W\) with H, W ≥ 12; got \(3, 8, 8\)"):
        _split(size=8)
