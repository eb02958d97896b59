"""Damaged files, factors and settings that an autoregressive prior refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from tests.core.priors.chains import (
    chains,
    coded,
    seed,
    small,
)

from seqdis.core.errors import InputError
from seqdis.core.factors import Extra, Factors
from seqdis.core.priors.autoregressive import AutoregressivePrior
from seqdis.core.priors.autoregressive_config import AutoregressiveConfig


def break_json(folder: Path, **changes: object) -> None:
    path = folder / "prior.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


DAMAGE: list[tuple[Callable[[Path], object], str]] = [
    (lambda folder: break_json(folder, format="other"), "format 'other'"),
    (lambda folder: break_json(folder, codebook_shape=[2, 4, 2]), "disagree: network"),
    (lambda folder: break_json(folder, codebook_shape=[2, 4]), "cannot be read as a prior"),
    (lambda folder: break_json(folder, steps="six"), "cannot be read as a prior"),
    (lambda folder: break_json(folder, contents=3), "disagree: contents is"),
    (lambda folder: break_json(folder, config={"depht": 3}), "unknown key 'depht'"),
    (lambda folder: (folder / "prior.json").write_text("[]"), "cannot be read as a prior"),
    (lambda folder: (folder / "prior.safetensors").write_bytes(b"\0" * 100), "cannot be read as a prior"),
    (lambda folder: (folder / "prior.safetensors").unlink(), "cannot be read as a prior"),
]  # fmt: skip


@pytest.mark.parametrize("index", range(len(DAMAGE)))
def test_damaged_files_are_refused_in_one_line(tmp_path: Path, index: int) -> None:
    small(chains(8, 0)).save(tmp_path / "prior")
    damage, message = DAMAGE[index]
    damage(tmp_path / "prior")
    with pytest.raises(InputError, match=message) as caught:
        AutoregressivePrior.load(tmp_path / "prior")
    assert "\n" not in str(caught.value)


def test_unusable_factors_are_refused() -> None:
    good = chains(8, 0)
    prior, codes = small(good), good.extras["codes"]
    with pytest.raises(InputError, match="this model's factors have none"):
        AutoregressivePrior.for_factors(AutoregressiveConfig(), good)
    for factors, message in (
        (Factors(good.static, good.dynamic), r"codes of shape None; this prior needs \(8, 6, 2\)"),
        (Factors(good.static, good.dynamic, {"codes": Extra(codes.value, "static")}), "on the dynamic side"),
        (coded(good.static, codes.value[..., :1]), r"codes of shape \(8, 6, 1\)"),
        (coded(good.static, codes.value[:, :5]), "factors of 5 steps; this prior's have 6"),
        (
            Factors(good.static, good.dynamic, {"codes": Extra(codes.value + 1, "dynamic")}),
            "codes from 1 to 3; allowed: 0 to 2",
        ),
        (Factors(good.static, good.dynamic[..., :2], good.extras), "codebook is that of another model"),
        (Factors(good.static, good.dynamic + 1, good.extras), "codebook is that of another model"),
        (Factors(good.static * float("nan"), good.dynamic, good.extras), "static factors: 8 of"),
        (Factors(torch.zeros(8, 2), good.dynamic, good.extras), r"shape \(2,\); this prior's are \(1,\)"),
        (
            Factors(good.static, good.dynamic, {**good.extras, "pose": Extra(good.static, "static")}),
            "models codes alone; got pose",
        ),
    ):
        with pytest.raises(InputError, match=message):
            prior.fit(factors)
    with pytest.raises(InputError, match="count ≥ 1; got 0"):
        prior.sample(0, generator=seed(0))
    with pytest.raises(InputError, match="steps 0: allowed are numbers from 1"):
        prior.sample(1, generator=seed(0), steps=0)


def test_heads_divide_the_width() -> None:
    with pytest.raises(ValueError, match="width 30 must be a multiple of the 4 heads"):
        AutoregressiveConfig(width=30, heads=4)


def test_the_defaults_are_those_of_the_table() -> None:
    """BCD, Tab. A9."""
    c = AutoregressiveConfig()
    assert (c.width, c.depth, c.heads, c.lr, c.batch_size, c.weight_decay) == (1024, 12, 8, 1e-4, 256, 0.01)
    assert c.subsampling == 0.5
