"""``from seqdis.core import X`` gives every public name, and no more is imported than was asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

import seqdis.core

FIRST = "load, fit, train, DiffSDA, DiViD, VDSM, S3VAE, BCD, samplers, Prior, Sequences, Factors, swap, traverse, probe, encode"


def test_what_one_types_first_is_there() -> None:
    assert set(FIRST.split(", ")) <= set(seqdis.core.__all__)


@pytest.mark.parametrize("name", seqdis.core.__all__)
def test_every_public_name_is_there_under_its_own_name(name: str) -> None:
    value = getattr(seqdis.core, name)
    assert value.__name__.rpartition(".")[2] == name  # samplers is a package
    assert getattr(value, "__module__", value.__name__).startswith("seqdis.core.")
    assert value.__doc__


def test_dir_lists_the_public_names() -> None:
    assert set(seqdis.core.__all__) <= set(dir(seqdis.core))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'seqdis\.core' has no attribute 'Factor'"):
        seqdis.core.Factor  # noqa: B018


def test_importing_core_does_not_import_torch() -> None:
    code = "import sys, seqdis.core; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
