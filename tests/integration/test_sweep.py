"""Every combination of the values that are swept is a cell with a name and a folder of its own."""

from __future__ import annotations

import pytest

from seqdis.core.config import RunConfig
from seqdis.core.errors import InputError
from seqdis.core.registry import list_presets
from seqdis.eval.protocols.comparison import named_presets
from seqdis.eval.protocols.sweep import Sweep, cells_of


@pytest.fixture(scope="module")
def presets() -> dict[str, RunConfig]:
    return {name: build() for name, build in list_presets().items()}


def test_a_sweep_is_read_with_brackets_kept_whole() -> None:
    assert Sweep.parse("model.orthogonality=0,0.1,1") == Sweep("model.orthogonality", ("0", "0.1", "1"))
    assert Sweep.parse("a.b=[1,2],[1,2,2]").values == ("[1,2]", "[1,2,2]")
    for text in ("a", "=1", "a=", "a=1,,2"):
        with pytest.raises(InputError, match=r"allowed: KEY=VALUE,VALUE,…$"):
            Sweep.parse(text)
    with pytest.raises(InputError, match="a value occurs twice"):
        Sweep.parse("a=1,1")


def test_cells_are_all_combinations_with_names_and_folders_of_their_own(
    presets: dict[str, RunConfig],
) -> None:
    name = sorted(presets)[0]
    sweeps = [Sweep("train.lr", ("0.1", "0.2")), Sweep("train.seed", ("0", "1", "2"))]
    cells = cells_of({"m": presets[name]}, sweeps)
    assert [(cell.config.train.lr, cell.config.train.seed) for cell in cells] == [
        (lr, seed) for lr in (0.1, 0.2) for seed in (0, 1, 2)
    ]
    assert cells[0].case == "m, lr=0.1, seed=0"
    assert cells[0].folder == f"{name}+lr=0.1+seed=0"
    assert len({cell.case for cell in cells}) == len({cell.folder for cell in cells}) == 6
    (alone,) = cells_of({"m": presets[name]})
    assert (alone.case, alone.folder, alone.config) == ("m", name, presets[name])
    with pytest.raises(InputError, match="names a setting twice"):
        cells_of({"m": presets[name]}, [sweeps[0], sweeps[0]])
    with pytest.raises(InputError, match="no_such_key"):
        cells_of({"m": presets[name]}, [Sweep("no_such_key", ("1",))])


def test_presets_are_compared_by_name_where_they_see_the_same_clips(presets: dict[str, RunConfig]) -> None:
    names = sorted(name for name, config in presets.items() if config.data.dataset != "folder")
    dataset = presets[names[0]].data.dataset
    assert list(named_presets(presets, dataset, [names[0]])) == [names[0]]
    with pytest.raises(InputError, match=f"unknown preset for {dataset} 'absent'"):
        named_presets(presets, dataset, ["absent"])
    with pytest.raises(InputError, match="no name"):
        named_presets(presets, dataset, [])
    data = presets[names[0]].data
    other = presets[names[0]].model_copy(update={"data": data.model_copy(update={"length": data.length + 1})})
    with pytest.raises(InputError, match=f"^x: uses {dataset} in another shape than {names[0]}"):
        named_presets({**presets, "x": other}, dataset, [names[0], "x"])
