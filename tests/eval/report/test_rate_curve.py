from __future__ import annotations

from pathlib import Path

import pytest
from tests.eval.named import named

from seqdis.core.errors import InputError
from seqdis.core.metric import Estimate, Metrics
from seqdis.eval.report.rate_curve import draw_rate_curve


def metrics() -> Metrics:
    values = {"low": (1.0, 0.2), "high": (6.0, 0.8)}
    found = {f"entropy_bits@{case}": Estimate(value=bits) for case, (bits, _) in values.items()}
    accuracy = {
        f"swap_joint_accuracy@{case}": Estimate(value=right, chance=0.1)
        for case, (_, right) in values.items()
    }
    return named(found | accuracy)


def test_a_curve_is_a_picture(tmp_path: Path) -> None:
    draw_rate_curve(tmp_path / "curve.png", metrics())
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_no_swaps_no_curve(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no swap was judged"):
        draw_rate_curve(tmp_path / "x.png", named({"entropy_bits@low": Estimate(value=1.0)}))
