from __future__ import annotations

from pathlib import Path

import pytest

from seqdis.core import modality_choice
from seqdis.core.errors import InputError
from seqdis.core.modality import Modality
from seqdis.core.modality_choice import modality_of
from seqdis.core.registry import get_modality

_Toy: type[Modality] = type(get_modality("toy"))


class Film(_Toy):  # type: ignore[valid-type, misc]
    name = "film"
    reads = (".film", ".mix")


class Tape(_Toy):  # type: ignore[valid-type, misc]
    name = "tape"
    reads = (".tape", ".film", ".mix")
    incidental = (".film",)


@pytest.fixture(autouse=True)
def _two_modalities(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        modality_choice, "usable_modalities", lambda: ([Tape(), Film()], {"radio": "no aerial"})
    )


def _files(folder: Path, *names: str) -> list[Path]:
    for name in names:
        (folder / name).write_bytes(b"")
    return [folder]


def test_the_modality_that_reads_most_is_taken(tmp_path: Path) -> None:
    assert modality_of(_files(tmp_path, "a.tape", "b.tape", "c.other")).name == "tape"


def test_a_file_counts_for_the_modality_that_it_is_first_of_all_of(tmp_path: Path) -> None:
    assert modality_of(_files(tmp_path, "a.film", "b.FILM")).name == "film"
    assert modality_of(_files(tmp_path, "c.tape", "d.tape", "e.tape")).name == "tape"


def test_equally_many_are_an_error_that_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="film and tape read 2 files each; --modality says which it is"):
        modality_of(_files(tmp_path, "a.mix", "b.mix"))


def test_nothing_readable_says_what_is_read_and_what_is_broken(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"film reads \.film, \.mix; radio cannot be used: no aerial"):
        modality_of(_files(tmp_path, "a.other"))
    with pytest.raises(InputError, match="no such file or folder"):
        modality_of([tmp_path / "missing"])
