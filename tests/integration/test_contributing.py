"""The code that CONTRIBUTING.md shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdis.core import Clip, DataConfig, Normalizer, Panel, Sequences
from seqdis.core.codec import IdentityCodec
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.core.random import GeneratorStack

PAGE = Path(__file__).parents[2] / "CONTRIBUTING.md"
DATA = DataConfig(dataset="ramps", length=5, frame_shape=(3,))


def shown(name: str) -> Any:
    """The object of that name, from the block of the page that defines it."""
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    block = next(b for b in blocks if re.search(rf"^(class |def |){name}\b", b, re.MULTILINE))
    names: dict[str, Any] = {"__name__": "shown"}
    exec(compile(block, str(PAGE), "exec", dont_inherit=True), names)
    return names[name]


def test_the_method_learns_what_the_dataset_shows() -> None:
    dataset = shown("RAMPS").build(DATA, "train", None, 0)
    assert dataset.shape == (5, 3)
    config = shown("MeanConfig")(width=8, encoder=BackboneConfig(kind="mlp", channels=16, multipliers=(1,)))
    model = shown("MeanAndRest").from_config(
        config,
        modality=shown("Points")(),
        frame_shape=(3,),
        codec=IdentityCodec(),
        normalizer=Normalizer((3,)).fit(dataset),
    )
    batch = dataset.fetch(range(64))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    losses = []
    for step in range(60):
        loss = model(batch, GeneratorStack.shard(step, 64, slice(0, 64))).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.1 * losses[0]
    assert model.reconstruct(batch.x).shape == batch.x.shape


def test_the_dataset_follows_its_seed_and_splits_differ() -> None:
    build = shown("RAMPS").build

    def first(split: str, seed: int) -> Sequences:
        return build(DATA, split, None, seed).fetch(range(256))

    assert torch.equal(first("train", 0).x, first("train", 0).x)
    assert not torch.equal(first("train", 0).x, first("test", 0).x)
    assert not torch.equal(first("train", 0).x, first("train", 1).x)


def test_the_modality_reads_what_it_wrote(tmp_path: Path) -> None:
    modality = shown("Points")()
    frames = torch.arange(15.0).view(5, 3)
    modality.write(tmp_path / "a.npy", frames, DATA)
    clip = modality.read(tmp_path / "a.npy", DATA)
    assert isinstance(clip, Clip)
    assert torch.equal(clip.frames, frames)
    modality.draw(tmp_path / "a.csv", [[Panel("source", frames)]], DATA)
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "source,7.000"


def test_the_modality_names_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / "b.npy").write_bytes(b"not an array")
    with pytest.raises(ValueError, match=r"b\.npy: cannot be read as npy: "):
        shown("Points")().read(tmp_path / "b.npy", DATA)
