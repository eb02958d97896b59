"""Tables of several kinds from training to a report, each by one command and without an option about the data."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner, Result

from seqdis.core.cli.app import app
from seqdis.core.factors import Factors

SMALL = ("train.steps=2", "train.batch_size=4", "encoder.channels=8", "decoder.channels=8", "hidden_dim=8")
DRAW = np.random.default_rng(0)


def hourly(folder: Path) -> tuple[Path, str, str]:
    """17,000 hours in one file, with dates."""
    table = pd.DataFrame(DRAW.normal(size=(17_000, 2)).round(3), columns=["load", "temp"])
    table.insert(0, "date", pd.date_range("2022-01-01", periods=len(table), freq="h"))
    table.to_csv(folder / "hourly.csv", index=False)
    return folder / "hourly.csv", "hourly.csv", "hourly.csv"


def short(folder: Path) -> tuple[Path, str, str]:
    """A file each of 7 to 29 steps with 12 channels."""
    (folder / "short").mkdir()
    for i in range(24):
        values = DRAW.normal(size=(DRAW.integers(7, 30), 12))
        pd.DataFrame(values).add_prefix("c").to_csv(folder / "short" / f"{i}.csv", index=False)
    return folder / "short", "short/1.csv", "short/2.csv"


def headless(folder: Path) -> tuple[Path, str, str]:
    """A text file without a header."""
    np.savetxt(folder / "x.txt", DRAW.normal(size=(700, 3)))
    return folder / "x.txt", "x.txt", "x.txt"


def european(folder: Path) -> tuple[Path, str, str]:
    """Semicolons, decimal commas, points in dates."""
    table = pd.DataFrame(DRAW.normal(size=(700, 2)).round(3), columns=["Höhe", "°C"])
    table.insert(
        0, "Datum", pd.date_range("2024-01-01", periods=700, freq="15min").strftime("%d.%m.%Y %H:%M")
    )
    table.to_csv(folder / "x.csv", index=False, sep=";", decimal=",", encoding="utf-8-sig")
    return folder / "x.csv", "x.csv", "x.csv"


def seqdis(*words: object) -> Result:
    result = CliRunner().invoke(app, [*map(str, words)])
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("make", [hourly, short, headless, european])
def test_trained_encoded_swapped_and_reported(make: Callable, tmp_path: Path) -> None:
    data, a, b = make(tmp_path)
    run = tmp_path / "run"
    seqdis("train", "dsvae-series", "--data", data, "--out", run, "--device", "cpu", *SMALL)
    options = json.loads((run / "config.json").read_text())["data"]["options"]
    encoded = json.loads(seqdis("encode", run, data, "--out", tmp_path / "f.safetensors", "--json").stdout)
    factors = Factors.load(tmp_path / "f.safetensors")
    assert len(factors) == encoded["sequences"]
    seqdis("swap", run, "--static", tmp_path / a, "--dynamic", tmp_path / b, "--out", tmp_path / "swap")
    assert list(pd.read_csv(tmp_path / "swap" / "swap.csv")) == options["columns"]
    seqdis("eval", "report", run, "--out", tmp_path / "x.html")
    assert (tmp_path / "x.html").stat().st_size > 10_000
    if make in (hourly, european):
        assert factors.stamps is not None
        assert np.diff(factors.stamps[0])[0] == np.timedelta64(60 if make is hourly else 15, "m")
        assert (options["step"], options["unit"]) == ((1, "h") if make is hourly else (15, "min"))
    else:
        assert factors.stamps is None


def test_a_long_table_needs_its_identifier_once(tmp_path: Path) -> None:
    steps = DRAW.integers(7, 30, 30)
    table = pd.DataFrame(DRAW.normal(size=(steps.sum(), 3)), columns=list("abc"))
    table.insert(0, "who", np.repeat([f"p{i}" for i in range(30)], steps))
    table.to_csv(tmp_path / "long.csv", index=False)
    long, run = tmp_path / "long.csv", tmp_path / "run"
    words = ("train", "dsvae-series", "--data", long, "--out", run, "--device", "cpu", *SMALL)
    refused = CliRunner().invoke(app, [*map(str, words)])
    assert (refused.exit_code, refused.stderr.count("\n")) == (2, 1)
    assert "id_column=who" in refused.stderr
    assert not run.exists()
    seqdis(*words, "id_column=who")
    seqdis("encode", run, long, "--out", tmp_path / "f.safetensors")
    factors = Factors.load(tmp_path / "f.safetensors")
    assert sorted(factors.keys) == sorted(f"long.csv#p{i}" for i in range(30))
    lengths = dict(zip([f"long.csv#p{i}" for i in range(30)], steps, strict=True))
    assert factors.mask is not None
    assert factors.mask.sum(1).tolist() == [lengths[key] for key in factors.keys]
    seqdis("swap", run, "--static", f"{long}#p1", "--dynamic", f"{long}#p2", "--out", tmp_path / "swap.csv")
    assert len(pd.read_csv(tmp_path / "swap.csv")) == steps[2]
    several = CliRunner().invoke(app, ["swap", str(run), "--static", str(long), "--dynamic", f"{long}#p2"])
    assert several.stderr.endswith(f"exactly one is needed, such as {long}#p0\n")
    absent = CliRunner().invoke(app, ["swap", str(run), "--static", f"{long}#p99", "--dynamic", f"{long}#p2"])
    assert (
        absent.stderr
        == f"error: {long}: holds no recording 'p99'; allowed: one of its 30 (p0, p1, p2, p3, p4, …)\n"
    )
    seqdis("eval", "report", run, "--out", tmp_path / "x.html")
