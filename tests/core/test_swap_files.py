from __future__ import annotations

from pathlib import Path

import torch

from seqdis.core.pretrained import build_model
from seqdis.core.registry import build_dataset, get_preset
from seqdis.core.swap_files import write_swaps


def test_media_files_are_numbered_where_they_are_of_several_pairs(tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = get_preset("toy")
    model, dataset = build_model(config).eval(), build_dataset("toy", config.data, "test")
    names = {"source_a", "source_b", "reconstruction_a", "reconstruction_b", "swap_a_b", "swap_b_a"}
    for media, expected in {
        0: set(),
        1: names,
        2: {f"{number}_{name}" for number in (1, 2) for name in names},
    }.items():
        files = write_swaps(model, dataset, [(0, 1), (2, 3)], tmp_path / str(media), media=media)
        assert set(files) == set((tmp_path / str(media)).iterdir())
        assert {path.stem for path in files} == {"swap"} | expected
