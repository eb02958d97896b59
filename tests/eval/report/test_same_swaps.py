from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from seqdis.core.config import DataConfig, RunConfig
from seqdis.core.methods.diffsda.config import DiffSDAConfig
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.report.same_swaps import main, same_swaps


def test_a_row_a_model_and_a_column_a_pair(world: Any, channels: Any) -> None:
    config = RunConfig(
        preset="tiny",
        modality="toy",
        method="diffsda",
        data=DataConfig(dataset="ramps", length=5, frame_shape=(4,)),
        model=DiffSDAConfig.model_construct(),
    )
    runs = [
        OpenRun(Path("runs") / kind, channels(kind), config, world(4, 0), world(9, 1))
        for kind in ("perfect", "reversed")
    ]
    pairs = [(0, 5), (7, 2), (3, 8)]
    rows = same_swaps(runs, pairs)
    assert [[panel.title for panel in row] for row in rows] == [
        [title] * 3 for title in ("lends the static factor", "lends the dynamics", "perfect", "reversed")
    ]
    x = runs[0].test_set.fetch(range(9)).x
    for column, (static, dynamic) in enumerate(pairs):
        who, what, right, wrong = (row[column].frames for row in rows)
        assert torch.equal(who, x[static])
        assert torch.equal(what, x[dynamic])
        torch.testing.assert_close(right[:, :2], x[static, :, :2])
        torch.testing.assert_close(right[:, 2:], x[dynamic, :, 2:])
        assert (wrong - right).abs().max() > 0.1


def test_what_is_wrong_is_told_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for arguments, message in (
        (["nobody", "--out", str(tmp_path / "a.png")], "nobody: "),
        (
            ["nobody", "--count", "0", "--out", str(tmp_path / "a.png")],
            "--count 0; at least 1 swap is needed",
        ),
    ):
        assert main(arguments) == 2
        error = capsys.readouterr().err
        assert error.startswith(message)
        assert error.count("\n") == 1
    assert not list(tmp_path.iterdir())
