from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.registry import get_preset
from seqdis.core.sequences import Sequences
from seqdis.core.training import fit

QUICK: dict[str, Any] = {"preset": "toy-folder", "steps": 4, "device": "cpu", "progress": False}


def series(count: int = 20, steps: int = 5, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).normal(8, 2, (count, steps, channels))


def test_an_array_with_gaps_gives_a_model_of_its_shape() -> None:
    x = series()
    x[np.random.default_rng(1).random(x.shape) < 0.4] = np.nan
    model = fit(x, **QUICK, hidden_dim=12, lr=1e-2)
    assert model.frame_shape == (3,)
    assert not model.training
    config = model.run_config
    assert config is not None
    assert (config.data.length, config.data.dataset, config.train.lr) == (5, "folder", 1e-2)
    assert config.model.hidden_dim == 12  # type: ignore[attr-defined]
    known = torch.from_numpy(x[~np.isnan(x)])
    assert model.normalizer.mean.item() == pytest.approx(known.mean().item(), abs=0.1)
    # 0 in the gaps would be seen in the mean and in the deviation.
    assert model.normalizer.std.item() == pytest.approx(known.std().item(), abs=0.1)


def test_what_stands_in_a_gap_does_not_change_the_model() -> None:
    x = torch.from_numpy(series(4)).float()
    observed = torch.rand(x.shape) > 0.3
    given = [Sequences(torch.where(observed, x, filler), observed=observed) for filler in (0.0, 9.0)]
    one, other = (fit(sequences, **QUICK) for sequences in given)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), other.parameters(), strict=True))


def test_unequal_lengths_and_tables_are_learnt_from() -> None:
    pandas = pytest.importorskip("pandas")
    parts = [part[:length] for part, length in zip(series(8), (5, 3, 4, 5, 2, 5, 1, 5), strict=True)]
    table = pandas.concat(
        [pandas.DataFrame(part, columns=list("abc")).assign(id=i) for i, part in enumerate(parts)]
    )
    models = [fit(parts, **QUICK), fit(table, id_column="id", **QUICK)]
    for model in models:
        assert model.run_config is not None
        assert model.run_config.data.length == 5
    assert all(torch.equal(a, b) for a, b in zip(*(m.parameters() for m in models), strict=True))


def test_the_same_seed_gives_the_same_model_and_another_does_not() -> None:
    a, b, c = (next(iter(fit(series(), seed=seed, **QUICK).parameters())) for seed in (0, 0, 1))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


def test_a_long_recording_is_cut_into_windows() -> None:
    long = series(1, 60)[0]
    model = fit(long, length=6, val=0.2, **QUICK)
    assert model.run_config is not None
    assert model.run_config.data.length == 6
    for length in (1, 100):
        with pytest.raises(InputError, match=rf"length: {length} steps; allowed: from 2 to .* 60"):
            fit(long, length=length, val=0, **QUICK)


def test_a_folder_keeps_what_the_run_wrote(tmp_path: Path) -> None:
    model = fit(series(), out=tmp_path / "run", val=series(3, 7), **QUICK)
    loaded = Disentangler.from_pretrained(tmp_path / "run")
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), loaded.parameters(), strict=True))
    assert model.run_config is not None
    assert model.run_config.data.length == 7
    assert [line for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines() if "val_loss" in line]


def test_a_training_that_no_longer_improves_stops_early(tmp_path: Path) -> None:
    # Noise that is learnt by heart: the loss on other noise does not fall for long.
    model = fit(
        series(4), out=tmp_path / "run", val=series(9) * 3, early_stopping=2,
        **(QUICK | {"steps": 400, "lr": 0.03, "eval_every": 2, "ema_decay": 0.0}),
    )  # fmt: skip
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["steps"] < 400
    assert record["steps"] == record["best_step"] + 4
    assert model.run_config is not None
    assert model.run_config.train.patience == 2


def test_early_stopping_validates_often_enough() -> None:
    model = fit(series(), early_stopping=50, **(QUICK | {"preset": get_preset("toy"), "steps": 40}))
    assert model.run_config is not None
    assert model.run_config.train.eval_every == 2


def test_what_does_not_suit_is_refused() -> None:
    with pytest.raises(InputError, match=r"data: shape \(2, 3, 4, 5\); allowed: \(B, V, any\) or \(V, any\)"):
        fit(np.zeros((2, 3, 4, 5)), **QUICK)
    with pytest.raises(InputError, match=r"data: shape \(20, 5, 3\); allowed: \(B, V, 8\)"):
        fit(series(), frame_shape=[8], **QUICK)
    with pytest.raises(InputError, match=r"val: shape \(2, 3, 4\); allowed: \(B, V, 3\)"):
        fit(series(), val=np.zeros((2, 3, 4)), **QUICK)
    with pytest.raises(InputError, match="unknown key 'hidden_dimm'"):
        fit(series(), hidden_dimm=3, **QUICK)
    with pytest.raises(InputError, match=r"train\.patience: there are no validation data"):
        fit(series(), val=0, early_stopping=1, **QUICK)
    with pytest.raises(InputError, match="data: sequences of 1 step; allowed: 2 or more"):
        fit(series()[:, :1], **QUICK)
    with pytest.raises(InputError, match=r"a share of 1\.5; allowed: 0 up to"):
        fit(series(), val=1.5, **QUICK)
