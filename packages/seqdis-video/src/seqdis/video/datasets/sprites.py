"""Sprites: LPC characters composed from layered sheets (Li & Mandt 2018), 64×64, 8 frames."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from seqdis.core.config import DataConfig
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.labels import Label
from seqdis.core.errors import InputError
from seqdis.core.modality import DatasetSpec
from seqdis.core.reading import readable
from seqdis.video.media_input import open_picture

__all__ = ["LABELS", "SPRITES", "SpriteSheets", "build_sprites", "split_characters"]

_SOURCE = "the folder 'sheets' of github.com/YingzhenLi/Sprites (body, bottomwear, topwear, hair, shoes)"
_LAYERS = ("body", "bottomwear", "topwear", "hair", "shoes")  # from the bottom to the top
_SHOES, _KINDS, _CELL, _FRAMES = 1, 6, 64, 8
_SIDES = (64, 32, 16)
_ACTIONS = {
    # name: (columns of the eight frames, rows facing front, left and right)
    "walk": ((8, 1, 2, 3, 4, 5, 6, 7), (10, 9, 11)),
    "spellcard": ((0, 1, 2, 3, 4, 5, 4, 6), (2, 1, 3)),
    "slash": ((0, 1, 2, 3, 4, 5, 4, 0), (14, 13, 15)),
}
_DIRECTIONS = ("front", "left", "right")
_MOTIONS = len(_ACTIONS) * len(_DIRECTIONS)

LABELS = {
    **{
        name: Label(tuple(f"{name} {i}" for i in range(_KINDS)), "static")
        for name in ("skin", "pants", "top", "hair")
    },
    # A direction never changes within a clip, yet the literature counts it as part of the motion.
    "action": Label(tuple(f"{a} {d}" for a in _ACTIONS for d in _DIRECTIONS), "dynamic"),
}


class SpriteSheets:
    """The sheets of 64×64 cells, and characters composed from them.

    Args:
        root: Folder that holds ``sheets/<layer>/<kind>.png``, each of 832 × 1344 pixels.

    Raises:
        InputError: A sheet is missing, damaged or of another size.
    """

    def __init__(self, root: Path) -> None:
        self._layers = {layer: self._strips(root, layer) for layer in _LAYERS}

    @staticmethod
    def _strips(root: Path, layer: str) -> list[Image.Image]:
        strips = []
        for kind in [_SHOES] if layer == "shoes" else range(_KINDS):
            path = root / "sheets" / layer / f"{kind}.png"
            told = readable(path, "a sheet of dataset 'sprites'", hint=f"; it is {_SOURCE}")
            with told, open_picture(path) as sheet:
                pixels = np.asarray(sheet.convert("RGBA"))
            if pixels.shape != (21 * _CELL, 13 * _CELL, 4):
                size = f"{pixels.shape[1]}x{pixels.shape[0]}"
                raise InputError(f"dataset 'sprites': {path} is {size} pixels; a sheet is 832x1344")
            cells = pixels.reshape(21, _CELL, 13, _CELL, 4).transpose(0, 2, 1, 3, 4)
            motions = [cells[row, list(columns)] for columns, rows in _ACTIONS.values() for row in rows]
            # All cells in one column: one composition a layer instead of one a frame.
            strips.append(Image.fromarray(np.concatenate(motions).reshape(-1, _CELL, 4)))
        return strips

    def render(self, characters: Sequence[int]) -> Iterator[np.ndarray]:
        """The nine clips of each character, ``(9, 8, 64, 64, 3)`` uint8.

        Args:
            characters: Indices of the characters, ``((skin·6 + pants)·6 + top)·6 + hair``, each in [0, 1296).
        """
        body, pants, tops, hair, (shoes,) = self._layers.values()

        # Characters share their lower layers: 36 and 216 compositions instead of 1296 each.
        @functools.cache
        def dressed(skin: int, bottom: int) -> Image.Image:
            black = Image.new("RGBA", body[skin].size, (0, 0, 0, 255))
            return Image.alpha_composite(Image.alpha_composite(black, body[skin]), pants[bottom])

        @functools.cache
        def clothed(skin: int, bottom: int, top: int) -> Image.Image:
            return Image.alpha_composite(dressed(skin, bottom), tops[top])

        for index in characters:
            skin, bottom, top, head = attributes(index)
            whole = Image.alpha_composite(
                Image.alpha_composite(clothed(skin, bottom, top), hair[head]), shoes
            )
            yield np.array(whole.convert("RGB")).reshape(_MOTIONS, _FRAMES, _CELL, _CELL, 3)


def attributes(character: int) -> tuple[int, int, int, int]:
    """Skin, pants, top and hair of a character's index."""
    rest, hair = divmod(character, _KINDS)
    rest, top = divmod(rest, _KINDS)
    return (*divmod(rest, _KINDS), top, hair)


def split_characters(split: str) -> list[int]:
    """The published split: ``RandomState(423).permutation(1296)``, 1000 to train and 296 to test.

    The paper has no validation split: the last 100 of its 1000 training characters are ours, which
    leaves 900 to train.
    """
    order = np.random.RandomState(423).permutation(_KINDS**4).tolist()
    first, last = {"train": (0, 900), "val": (900, 1000), "test": (1000, _KINDS**4)}[split]
    return list(order[first:last])


def build_sprites(data: DataConfig, split: str, root: Path | None, seed: int) -> ArraySequences:
    """One split, 9 clips a character; at 32×32 every pixel is the mean of four, at 16×16 of sixteen.

    Pixels are x / 255; the paper's files hold x / 256.

    Raises:
        InputError: The size is none of 64×64, 32×32 and 16×16, the length is not 8, or a sheet is not there.
    """
    if data.frame_shape not in [(3, side, side) for side in _SIDES] or data.length != _FRAMES:
        raise InputError(
            "dataset 'sprites' has 8 frames of (3, 64, 64), (3, 32, 32) or (3, 16, 16); "
            f"got length {data.length} and {data.frame_shape}"
        )
    if root is None:
        raise InputError(f"dataset 'sprites' needs its folder, which holds {_SOURCE}")
    characters = split_characters(split)
    side = data.frame_shape[1]
    x = torch.empty(len(characters), _MOTIONS, _FRAMES, 3, side, side, dtype=torch.uint8)
    for row, clips in zip(x, SpriteSheets(root).render(characters), strict=True):
        row.copy_(torch.from_numpy(_shrunk(clips, _CELL // side)).movedim(-1, -3))
    skin, pants, top, hair = (
        torch.tensor([attributes(c) for c in characters]).repeat_interleave(_MOTIONS, 0).T
    )
    action = torch.arange(_MOTIONS).repeat(len(characters))
    names = LABELS["action"].classes
    return ArraySequences(
        x.flatten(0, 1),
        labels=LABELS,
        label_values={"skin": skin, "pants": pants, "top": top, "hair": hair, "action": action},
        keys=[f"{c:04d} {name}" for c, name in itertools.product(characters, names)],
    )


def _shrunk(clips: np.ndarray, factor: int) -> np.ndarray:
    """Every pixel the mean of ``factor²``, rounded."""
    if factor == 1:
        return clips
    side, area = _CELL // factor, factor**2
    # Slices: a sum over axes of length 2 takes six times as long, longer than all else here.
    total = np.full((*clips.shape[:2], side, side, 3), area // 2, np.uint16)
    for row, column in itertools.product(range(factor), repeat=2):
        total += clips[:, :, row::factor, column::factor]
    return (total // area).astype(np.uint8)


SPRITES = DatasetSpec(
    name="sprites",
    summary="LPC characters, 64x64, 32x32 or 16x16, 8 frames: skin, pants, top, hair; action and direction",
    labels=LABELS,
    build=build_sprites,
    folder="sprites",
    source=_SOURCE,
    licence="CC BY-SA 3.0 or GPL 3.0",
    credit="artists of the Liberated Pixel Cup and the Universal LPC Spritesheet; Li and Mandt 2018",
)
