"""A figure of a measurement that is not finite ends it: nothing is written, and the message names run and metric."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from seqdis.core.config import Config
from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate, Metrics
from seqdis.eval.cli import protocol_command
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.protocol import Protocol


class _Overflowing(Protocol):
    """Measures what overflows."""

    name = "overflowing"

    def measure(self, context: Context) -> Metrics:
        """A whole figure and one that is none."""
        return Metrics.of({"mse": Estimate(value=1.0), "swap_mse": Estimate(value=float("inf"))}, role="swap")


def test_it_is_not_written_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, out = tmp_path / "run", tmp_path / "out" / "result.json"
    run.mkdir()
    monkeypatch.setattr(protocol_command, "open_runs", lambda *_, **__: [SimpleNamespace(folder=run)])
    with pytest.raises(
        InputError,
        match=rf"^{run}: overflowing: swap_mse: its value is inf; only finite figures are written$",
    ):
        protocol_command.run_protocol(_Overflowing(), [run], Config(), out=out)
    assert [path.name for path in tmp_path.rglob("*")] == ["run"]
