from __future__ import annotations

import json
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from typer.testing import Result

from seqdis.core import installed
from seqdis.core.cli.doctor_command import doctor
from seqdis.core.ops import _build

Command = Callable[..., Result]


@pytest.fixture(autouse=True)
def _no_kernels(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEQDIS_KERNELS", str(tmp_path / "kernels"))
    monkeypatch.setattr(_build, "_known", {})


def test_what_is_installed(seqdis: Command, tmp_path: Path) -> None:
    report = json.loads(seqdis("doctor", "--json").stdout)
    assert report["python"] == platform.python_version()
    assert report["packages"]["seqdis-core"] == version("seqdis-core")
    assert report["packages"]["torch"] == version("torch")
    assert torch.backends.cpu.get_cpu_capability() in report["devices"]["cpu"]
    assert report["modalities"]["toy"] == "ok"
    assert report["datasets"]["ramps"]["found"] == "generated"
    assert report["kernels"]["built"] == []
    assert f"not built for torch {torch.__version__}" in report["kernels"]["missing"]["cpu"]
    assert report["kernels"]["folder"] == str(tmp_path / "kernels")


def test_for_a_person(seqdis: Command) -> None:
    result = seqdis("doctor")
    assert result.exit_code == 0
    for word in ("Python", "seqdis-core", "reference implementation in use", "vectors for tests", "ramps"):
        assert word in result.stdout or word == "vectors for tests"


def test_extras_are_those_of_the_metadata_and_of_this_machine(
    seqdis: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = tmp_path / "seqdis_elsewhere-1.0.dist-info"
    folder.mkdir()
    lines = [
        *("Metadata-Version: 2.4", "Name: seqdis-elsewhere", "Version: 1.0"),
        *("Provides-Extra: far", "Provides-Extra: near", "Requires-Dist: typer"),
        "Requires-Dist: torch>=2,!=2.1 ; python_version >= '3' and extra == 'far'",
        'Requires-Dist: no.such-thing[all] (~=1.0) ; "far" == extra',
        "Requires-Dist: numpy ; python_version < '3' and extra == 'far'",
    ]
    (folder / "METADATA").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    extras = json.loads(seqdis("doctor", "--json").stdout)["extras"]
    assert extras["seqdis-elsewhere[far]"] == {"torch": version("torch"), "no.such-thing": None}
    assert extras["seqdis-elsewhere[near]"] == {}


def test_a_dataset_is_found_or_the_place_for_it_is_named(
    seqdis: Command, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    row = {"name": "far", "modality": "toy", "found": None, "folder": "far_away", "source": "example.org/far"}
    monkeypatch.setattr(installed, "dataset_rows", lambda: [row])
    shown = seqdis("doctor").stdout
    assert "absent: put far_away/ below the folder that SEQDIS_DATA names" in shown
    assert "example.org/far" in shown
    assert doctor.__doc__
