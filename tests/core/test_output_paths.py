from __future__ import annotations

from pathlib import Path

import pytest

from seqdis.core.errors import InputError
from seqdis.core.output_paths import numbered, one_output_each, swap_outputs
from seqdis.core.registry import get_modality

TOY = get_modality("toy")


@pytest.mark.parametrize("count", [2, 10, 11, 101])
def test_numbered_files_sort_as_they_count(count: int) -> None:
    paths = numbered(Path("folder/swap.npy"), count)
    assert sorted(paths) == paths
    assert len(set(paths)) == count
    assert {(path.parent, path.suffix) for path in paths} == {(Path("folder"), ".npy")}


def test_the_suffix_decides_what_a_swap_leaves(tmp_path: Path) -> None:
    media = swap_outputs(TOY, tmp_path / "s.npy", None, tmp_path / "a.npy")
    assert (media.media, media.pictures, media.record, media.single) == (tmp_path / "s.npy", (), None, True)
    picture = swap_outputs(TOY, tmp_path / "s.png", None, tmp_path / "a.npy")
    assert (picture.media, picture.pictures, picture.single) == (None, (tmp_path / "s.png",), False)
    assert picture.media_files(3) == []
    folder = swap_outputs(TOY, tmp_path / "s", tmp_path / "p.png", tmp_path / "a.npy")
    assert folder.pictures == (tmp_path / "s" / "swap.png", tmp_path / "p.png")
    assert folder.record == tmp_path / "s" / "swap.json"
    assert folder.media_files(1) == [tmp_path / "s" / "swap.npy"]
    assert len(folder.media_files(3)) == 3
    assert not folder.single


def test_every_input_has_an_output_of_its_own_in_the_same_tree(tmp_path: Path) -> None:
    inputs = [tmp_path / "in" / name for name in ("a.npy", "deep/a.npy")]
    outputs = one_output_each(TOY, tmp_path / "out", inputs, tmp_path / "in")
    assert [path.relative_to(tmp_path / "out") for path in outputs] == [Path("a.npy"), Path("deep/a.npy")]
    # Two kinds of file of one name would both become the modality's first kind.
    with pytest.raises(InputError, match="two inputs would both be written to"):
        one_output_each(TOY, tmp_path / "out", [tmp_path / "a.one", tmp_path / "a.two"], tmp_path)
    with pytest.raises(InputError, match="one file for 2 inputs; give a folder"):
        one_output_each(TOY, tmp_path / "r.npy", inputs, tmp_path / "in")
