"""Sprites: the published composition, order and split."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from seqdis.core.config import DataConfig
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.errors import InputError
from seqdis.core.registry import build_dataset
from seqdis.video.datasets.sprites import LABELS, SpriteSheets, build_sprites, split_characters

LAYERS = {"body": range(6), "bottomwear": range(6), "topwear": range(6), "hair": range(6), "shoes": [1]}


def _data(size: int, length: int = 8) -> DataConfig:
    return DataConfig(dataset="sprites", length=length, frame_shape=(3, size, size))


@pytest.fixture(scope="module")
def sheets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sheets whose pixels say which cell and kind they are of.

    The body fills the cell with (row, column, kind); each layer above covers a row of pixels lower
    down with its own number, and the pixels from there on in the next layers' places.
    """
    root = tmp_path_factory.mktemp("sprites")
    rows, columns = np.indices((21 * 64, 13 * 64)) // 64
    line = np.indices((21 * 64, 13 * 64))[0] % 64
    for depth, (layer, kinds) in enumerate(LAYERS.items()):
        (root / "sheets" / layer).mkdir(parents=True)
        for kind in kinds:
            pixels = np.zeros((21 * 64, 13 * 64, 4), dtype=np.uint8)
            if depth == 0:
                pixels[..., 0], pixels[..., 1], pixels[..., 2], pixels[..., 3] = (
                    rows * 10,
                    columns * 10,
                    kind,
                    255,
                )
            else:
                pixels[line >= 8 * depth] = (depth, kind, 99, 255)
            Image.fromarray(pixels).save(root / "sheets" / layer / f"{kind}.png", compress_level=1)
    return root


def test_layers_lie_in_order_and_attributes_count_in_base_six(sheets: Path) -> None:
    index = ((4 * 6 + 1) * 6 + 5) * 6 + 2
    (clips,) = SpriteSheets(sheets).render([index])
    assert clips.shape == (9, 8, 64, 64, 3)
    assert (clips[:, :, :8, :, 2] == 4).all()  # skin, where nothing covers it
    covered = [clips[0, 0, 8 * depth, 0].tolist() for depth in range(1, 5)]
    assert covered == [[1, 1, 99], [2, 5, 99], [3, 2, 99], [4, 1, 99]]


def test_each_motion_takes_its_cells(sheets: Path) -> None:
    (clips,) = SpriteSheets(sheets).render([0])
    rows, columns = clips[:, :, 0, 0, 0] // 10, clips[:, :, 0, 0, 1] // 10
    # The table of the source: front, left and right of walk, spellcard and slash.
    assert rows.tolist() == [[row] * 8 for row in (10, 9, 11, 2, 1, 3, 14, 13, 15)]
    walk, spell, slash = [8, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 3, 4, 5, 4, 6], [0, 1, 2, 3, 4, 5, 4, 0]
    assert columns.tolist() == [walk] * 3 + [spell] * 3 + [slash] * 3


def test_the_split_is_the_published_one() -> None:
    np.random.seed(423)  # noqa: NPY002 (what the published script calls)
    order = np.random.permutation(range(1296)).tolist()  # noqa: NPY002
    train, val, test = (split_characters(split) for split in ("train", "val", "test"))
    assert train + val == order[:1000]
    assert len(val) == 100
    assert test == order[1000:]


@pytest.fixture(scope="module")
def dataset(sheets: Path) -> SequenceDataset:
    return build_sprites(_data(64), "val", sheets, 0)


def test_labels_match_pixels(dataset: SequenceDataset) -> None:
    assert len(dataset) == 900
    assert dataset.shape == (8, 3, 64, 64)
    chosen = list(range(0, 900, 37))
    batch = dataset.fetch(chosen)
    pixels = (batch.x * 255).round().long()
    assert torch.equal(pixels[:, 0, 2, 0, 0], batch.labels["skin"])
    for depth, name in enumerate(("pants", "top", "hair"), start=1):
        assert torch.equal(pixels[:, 0, 1, 8 * depth, 0], batch.labels[name])
    assert batch.labels["action"].tolist() == [i % 9 for i in chosen]
    assert LABELS["action"].classes[5] == "spellcard right"
    assert batch.keys[0].endswith(LABELS["action"].classes[0])


@pytest.mark.parametrize("side", [32, 16])
def test_smaller_sizes_average_pixels(sheets: Path, dataset: SequenceDataset, side: int) -> None:
    large = dataset.fetch([5, 500]).x
    small = build_sprites(_data(side), "val", sheets, 0).fetch([5, 500]).x
    mean = torch.nn.functional.avg_pool2d(large.flatten(0, 1), 64 // side).unflatten(0, (2, 8))
    assert (small - mean).abs().max() <= 0.5 / 255 + 1e-6


@pytest.mark.parametrize(("size", "length"), [(48, 8), (64, 6)])
def test_other_sizes_are_refused(sheets: Path, size: int, length: int) -> None:
    with pytest.raises(
        InputError, match=rf"\(3, 64, 64\), \(3, 32, 32\) or \(3, 16, 16\); got length {length} and"
    ):
        build_sprites(_data(size, length), "val", sheets, 0)


def test_missing_and_foreign_sheets_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"sheets/body/0\.png: cannot be read as a sheet .* github\.com/YingzhenLi/Sprites"
    ):
        build_sprites(_data(64), "val", tmp_path, 0)
    (tmp_path / "sheets" / "body").mkdir(parents=True)
    Image.new("RGBA", (64, 64)).save(tmp_path / "sheets" / "body" / "0.png")
    with pytest.raises(InputError, match=r"0\.png is 64x64 pixels; a sheet is 832x1344"):
        build_sprites(_data(64), "val", tmp_path, 0)


def test_without_the_data_the_message_says_where_they_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SEQDIS_DATA", raising=False)
    with pytest.raises(
        InputError, match=r"'sprites': neither --data nor SEQDIS_DATA is set; its source: .*YingzhenLi"
    ):
        build_dataset("video", _data(64), "val")


def test_all_pixels_of_the_real_characters(dataset_folder: Callable[[str], Path]) -> None:
    """All 1296 × 9 × 8 frames equal those of the script that made the published files."""
    digest = hashlib.sha256()
    for clips in SpriteSheets(dataset_folder("sprites")).render(range(1296)):
        digest.update(clips)
    assert digest.hexdigest() == "9a90d76e1172c33b1a9e318a299657cecb9d9d19ddfd0d085e800b796a07a9f3"
