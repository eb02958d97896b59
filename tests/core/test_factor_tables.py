from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors

STAMPS = np.array(
    [["2026-01-01", "2026-01-02", "NaT"], ["2026-02-01", "2026-02-02", "2026-02-03"]], dtype="M8[D]"
)


def factors(**changes: object) -> Factors:
    parts = {
        "keys": ["a", "b"],
        "stamps": STAMPS,
        "mask": torch.tensor([[True, True, False], [True, True, True]]),
    } | changes
    extras = {
        "speaker": Extra(torch.tensor([7, 8]), "static"),
        "voice": Extra(torch.arange(4.0).view(2, 2), "static"),
        "action": Extra(torch.arange(6).view(2, 3), "dynamic"),
        "codes": Extra(torch.arange(12).view(2, 3, 2), "dynamic"),
        "picture": Extra(torch.zeros(2, 3, 4, 4), "dynamic"),
    }
    dynamic = torch.arange(12.0).view(2, 3, 2)
    return Factors(torch.tensor([[0.5], [1.5]]), dynamic, extras, **parts)  # type: ignore[arg-type]


def test_a_row_a_sequence_and_a_row_a_step_that_exists() -> None:
    pytest.importorskip("pandas")
    tables = factors().to_pandas()
    assert list(tables.static.columns) == ["static_0", "speaker", "voice_0", "voice_1"]
    assert tables.static.loc["b"].tolist() == [1.5, 8, 2, 3]
    assert list(tables.dynamic.columns) == ["dynamic_0", "dynamic_1", "action", "codes_0", "codes_1"]
    assert len(tables.dynamic) == 5
    assert tables.dynamic.index.names == ["key", "stamp"]
    assert tables.dynamic.loc[("b", np.datetime64("2026-02-02"))].tolist() == [8, 9, 4, 8, 9]
    assert tables.dynamic.loc["a", "action"].tolist() == [0, 1]


def test_without_keys_and_stamps_the_index_counts() -> None:
    pytest.importorskip("pandas")
    tables = factors(keys=(), stamps=None, mask=None).to_pandas()
    assert tables.static.index.tolist() == [0, 1]
    assert tables.dynamic.index.names == ["key", "step"]
    assert tables.dynamic.index.tolist() == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]


def test_pandas_is_named_where_it_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(InputError, match="the package pandas is not installed"):
        factors().to_pandas()
