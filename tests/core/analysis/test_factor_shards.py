from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from seqdis.core.analysis.factor_shards import FactorShards, join_factors
from seqdis.core.analysis.joined_tables import table_paths, write_tables
from seqdis.core.analysis.joined_tensors import write_npz, write_safetensors
from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors

DAYS = np.array([["2026-01-01", "2026-01-02", "2026-01-03"]], dtype="M8[D]")
HOURS = np.array([["2026-02-01T05", "2026-02-01T06", "NaT"]], dtype="M8[h]")


def factors(size: int, first: int, **parts: object) -> Factors:
    """``size`` sequences of three steps."""
    g = torch.Generator().manual_seed(first)
    return Factors(
        torch.randn(size, 4, generator=g),
        torch.randn(size, 3, 2, generator=g),
        {
            "codes": Extra(torch.randint(9, (size, 3, 2), generator=g), "dynamic"),
            "speaker": Extra(torch.randint(9, (size,), generator=g, dtype=torch.int32), "static"),
        },
        keys=[f"clip-ä{i}" for i in range(first, first + size)],
        **parts,  # type: ignore[arg-type]
    )


def saved(folder: Path, parts: list[Factors]) -> FactorShards:
    paths = [folder / f"{i:06d}.safetensors" for i in range(len(parts))]
    for path, part in zip(paths, parts, strict=True):
        part.save(path)
    return FactorShards.of(paths)


def dated(folder: Path) -> FactorShards:
    """Three shards: times of two units, a mask in one alone, classes that differ, and one without times."""
    mask = torch.tensor([[True, True, False]])
    steps = np.array([["up", "down", ""]])
    parts = [
        factors(2, 0, stamps=np.repeat(DAYS, 2, 0), labels=_labels(["ann", "bob"], steps.repeat(2, 0))),
        factors(1, 2, stamps=HOURS, mask=mask, labels=_labels(["bob"], steps)),
        factors(1, 3, labels=_labels(["christine"], np.array([["rest", "rest", "up"]]))),
    ]
    return saved(folder, parts)


def _labels(names: list[str], steps: np.ndarray) -> dict[str, np.ndarray]:
    return {"person": np.array(names), "move": steps, "take": np.arange(len(names))}


def test_one_file_is_what_saving_all_at_once_writes(tmp_path: Path) -> None:
    shards = saved(tmp_path, [factors(2, 0), factors(3, 2), factors(1, 5)])
    write_safetensors(shards, tmp_path / "joined.safetensors")
    Factors.cat([factors(2, 0), factors(3, 2), factors(1, 5)]).save(tmp_path / "whole.safetensors")
    assert (tmp_path / "joined.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()


def test_what_some_shards_have_is_filled_in_for_the_others(tmp_path: Path) -> None:
    shards = dated(tmp_path)
    assert len(shards) == 4
    whole = shards.load()
    assert whole.keys == ("clip-ä0", "clip-ä1", "clip-ä2", "clip-ä3")
    assert whole.stamps is not None
    assert whole.stamps.dtype == np.dtype("M8[h]")
    assert whole.stamps[0].tolist() == DAYS[0].astype("M8[h]").tolist()
    assert np.isnat(whole.stamps[3]).all()
    assert whole.mask is not None
    assert whole.mask.sum(1).tolist() == [3, 3, 2, 3]
    assert whole.labels["person"].tolist() == ["ann", "bob", "bob", "christine"]
    assert whole.labels["move"][2:].tolist() == [["up", "down", ""], ["rest", "rest", "up"]]
    assert whole.labels["take"].tolist() == [0, 1, 0, 0]
    write_safetensors(shards, tmp_path / "joined.safetensors")
    whole.save(tmp_path / "whole.safetensors")
    assert (tmp_path / "joined.safetensors").read_bytes() == (tmp_path / "whole.safetensors").read_bytes()
    again = Factors.load(tmp_path / "joined.safetensors")
    for name, value in whole.labels.items():
        assert again.labels[name].tolist() == value.tolist()


def test_npz_holds_the_same_values(tmp_path: Path) -> None:
    shards = dated(tmp_path)
    write_npz(shards, tmp_path / "joined.npz")
    whole = shards.load()
    with np.load(tmp_path / "joined.npz", allow_pickle=False) as arrays:
        assert sorted(arrays.files) == [
            *("dynamic", "extra.dynamic.codes", "extra.static.speaker", "keys", "label.move", "label.person"),
            *("label.take", "mask", "stamps", "static"),
        ]
        assert np.array_equal(arrays["static"], whole.static.numpy())
        assert np.array_equal(arrays["dynamic"], whole.dynamic.numpy())
        assert np.array_equal(arrays["extra.dynamic.codes"], whole.extras["codes"].value.numpy())
        assert arrays["keys"].tolist() == list(whole.keys)
        assert whole.stamps is not None
        assert np.array_equal(arrays["stamps"], whole.stamps, equal_nan=True)
        for name, value in whole.labels.items():
            assert arrays[f"label.{name}"].tolist() == value.tolist()
    first = (tmp_path / "joined.npz").read_bytes()
    write_npz(shards, tmp_path / "joined.npz")
    assert (tmp_path / "joined.npz").read_bytes() == first


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_are_those_of_all_factors_at_once(tmp_path: Path, suffix: str) -> None:
    pandas = pytest.importorskip("pandas")
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    shards = dated(tmp_path)
    out = tmp_path / f"factors{suffix}"
    assert write_tables(shards, out) == table_paths(out)
    assert [path.name for path in table_paths(out)] == [f"factors.static{suffix}", f"factors.dynamic{suffix}"]
    tables = shards.load().to_pandas()
    for path, table in zip(table_paths(out), (tables.static, tables.dynamic), strict=True):
        expected = table.reset_index()
        read = (
            pandas.read_parquet(path)
            if suffix == ".parquet"
            else pandas.read_csv(path, keep_default_na=False)
        )
        assert list(read.columns) == list(expected.columns)
        assert len(read) == len(expected)
        for name in expected.columns:
            if name == "stamp":
                stamps = pandas.to_datetime(read[name], format="ISO8601") if suffix == ".csv" else read[name]
                assert stamps.isna().tolist() == expected[name].isna().tolist()
                assert stamps.dropna().tolist() == expected[name].dropna().tolist()
            elif expected[name].dtype.kind == "f":
                # Enough digits that each number reads back as itself.
                assert np.array_equal(read[name].to_numpy(np.float32), expected[name].to_numpy())
            else:
                assert read[name].tolist() == expected[name].tolist()
    assert len(tables.dynamic) == 11
    assert tables.static.loc["clip-ä3", "person"] == "christine"
    assert tables.dynamic.loc["clip-ä2", "move"].tolist() == ["up", "down"]
    assert tables.dynamic.loc["clip-ä2", "person"].tolist() == ["bob", "bob"]


def test_both_tables_appear_or_neither(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pandas")
    shards = dated(tmp_path)
    rename, out = Path.replace, tmp_path / "out" / "factors.csv"

    def full(self: Path, target: Path) -> Path:
        if Path(target).name == "factors.static.csv":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write_tables(shards, out)
    assert list(out.parent.iterdir()) == []


def test_shards_that_are_of_two_kinds_cannot_be_joined(tmp_path: Path) -> None:
    numbers = factors(1, 1, stamps=np.array([[1.0, 2.0, 3.0]]))
    with pytest.raises(InputError, match="stamps are times in some recordings and numbers in others"):
        saved(tmp_path, [factors(1, 0, stamps=DAYS), numbers])
    with pytest.raises(InputError, match=r"labels \['a'\] in some recordings, \[\] in others"):
        saved(tmp_path, [factors(1, 0, labels={"a": np.array(["x"])}), factors(1, 1)])
    with pytest.raises(InputError, match="label 'a' is a class in some recordings and a number in others"):
        saved(
            tmp_path,
            [factors(1, 0, labels={"a": np.array(["x"])}), factors(1, 1, labels={"a": np.array([1])})],
        )


def test_whole_numbers_as_stamps_leave_room_for_none() -> None:
    joined = join_factors([factors(1, 0, stamps=np.array([[1, 2, 3]])), factors(1, 1)])
    assert joined.stamps is not None
    assert joined.stamps[0].tolist() == [1, 2, 3]
    assert np.isnan(joined.stamps[1]).all()


def test_a_file_whose_keys_do_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqdis.core.analysis.joined_tensors.LARGEST_HEADER", 400)
    shards = saved(tmp_path, [factors(2, 0), factors(3, 2)])
    with pytest.raises(
        InputError, match=r"the 5 keys take \d+ bytes; the header of a safetensors file holds 400"
    ):
        write_safetensors(shards, tmp_path / "joined.safetensors")
    assert not (tmp_path / "joined.safetensors").exists()


def test_a_folder_that_is_no_set_of_factors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read as an index of shards"):
        FactorShards.open(tmp_path)
