from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file
from torch import nn

from seqdis.core.config import RunConfig, StageConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.schedules import ExponentialDecay
from seqdis.core.training.hooks import TrainingHooks
from seqdis.core.training.schedule import total_steps

Configure = Callable[..., RunConfig]
Run = Callable[..., Disentangler]

STAGES = (
    StageConfig(name="alone", steps=6, frozen=("dynamic",), rates={"output": 0.5}),
    StageConfig(name="together", steps=6, rates={"static": 0.0}),
)


@pytest.fixture
def staged(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The plain method with three groups, a schedule and stages; yields what it was told."""
    from seqdis_plain import Plain

    told: list[Any] = []
    original = Plain.__init__

    def init(self: Plain, **parts: Any) -> None:
        original(self, **parts)
        self.register_buffer("sharpness", torch.ones(()))

    class Staged(TrainingHooks[Any]):
        def parameter_groups(self) -> dict[str, list[nn.Parameter]]:
            names = ("static", "dynamic", "output")
            return {name: list(getattr(self.model, name).parameters()) for name in names}

        def schedules(self) -> dict[str, ExponentialDecay]:
            return {"sharpness": ExponentialDecay(2.0, 0.5, 0.8)}

        def set_scheduled(self, name: str, value: float) -> None:
            told.append((name, value))
            self.model.sharpness.fill_(value)

        def on_stage(self, name: str) -> None:
            told.append(name)

    monkeypatch.setattr(Plain, "__init__", init)
    monkeypatch.setattr(Plain, "training_hooks", lambda self: Staged(self))
    return told  # type: ignore[return-value]


def weights(folder: Path, step: int) -> dict[str, torch.Tensor]:
    return load_file(folder / "checkpoints" / f"step-{step:08d}" / "trainer" / "weights.safetensors")


def moved(before: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> set[str]:
    return {name.partition(".")[0] for name in before if not torch.equal(before[name], after[name])} - {
        "sharpness"
    }


def test_stages_freeze_and_scale(
    tmp_path: Path, plain_config: Configure, run: Run, staged: list[Any]
) -> None:
    config = plain_config(steps=None, stages=STAGES, save_every=3, keep=9, log_every=1)
    run(config, tmp_path / "run")
    at = {step: weights(tmp_path / "run", step) for step in (3, 6, 9, 12)}
    assert moved(at[3], at[6]) == {"static", "output"}
    assert moved(at[6], at[9]) == {"dynamic", "output"}
    assert moved(at[9], at[12]) == {"dynamic", "output"}
    assert [name for name in staged if isinstance(name, str)] == ["alone", "together"]
    assert staged.index("alone") == 0
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    logged = [line["sharpness"] for line in lines if "sharpness" in line]
    assert logged == pytest.approx([max(0.5, 2.0 * 0.8**k) for k in range(12)])
    assert at[3]["sharpness"].item() == pytest.approx(2.0 * 0.8**2)


def test_a_factor_is_that_of_the_rate(
    tmp_path: Path, plain_config: Configure, run: Run, staged: list[Any]
) -> None:
    """One step of AdamW moves by the rate, whatever the gradient: half the rate, half the way."""
    begins = {}
    for name, factor in {"whole": 1.0, "half": 0.5}.items():
        stage = StageConfig(name="x", steps=1, rates={"output": factor})
        config = plain_config(steps=None, stages=(stage,), warmup_steps=0, weight_decay=0.0, ema_decay=0.0)
        run(config, tmp_path / name)
        begins[name] = weights(tmp_path / name, 1)
    still = StageConfig(name="x", steps=1, rates={"output": 0.0, "static": 0.0, "dynamic": 0.0})
    run(plain_config(steps=None, stages=(still,), warmup_steps=0), tmp_path / "still")
    start = weights(tmp_path / "still", 1)
    whole = begins["whole"]["output.weight"] - start["output.weight"]
    half = begins["half"]["output.weight"] - start["output.weight"]
    torch.testing.assert_close(half, whole / 2, rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(begins["half"]["static.weight"], begins["whole"]["static.weight"])


@pytest.mark.parametrize("stop", [5, 6, 7, 11])
def test_resuming_in_any_stage_is_exact(
    whole_and_resumed: Callable[..., list[bytes]],
    plain_config: Configure,
    run: Run,
    staged: list[Any],
    stop: int,
) -> None:
    config = plain_config(steps=None, stages=STAGES, save_every=1, dropout=0.1)
    whole, resumed = whole_and_resumed(run, config, stop=stop)
    assert whole == resumed


def test_lengths(plain_config: Configure) -> None:
    stages = (StageConfig(name="a", epochs=3), StageConfig(name="b", steps=5))
    assert total_steps(plain_config(steps=None, stages=stages).train, 7) == 26
    assert total_steps(plain_config(steps=9, stages=stages).train, 7) == 9


def test_the_last_stage_lasts_to_the_end(
    tmp_path: Path, plain_config: Configure, run: Run, staged: list[Any]
) -> None:
    stage = StageConfig(name="only", steps=2, frozen=("static",))
    run(plain_config(steps=8, stages=(stage,), save_every=4, keep=9), tmp_path / "run")
    assert moved(weights(tmp_path / "run", 4), weights(tmp_path / "run", 8)) == {"dynamic", "output"}


def test_bad_stages_are_named(tmp_path: Path, plain_config: Configure, run: Run) -> None:
    with pytest.raises(ValidationError, match="stage 'x' needs steps or epochs"):
        StageConfig(name="x")
    with pytest.raises(ValidationError, match="negative rate"):
        StageConfig(name="x", steps=1, rates={"all": -1.0})
    wrong = StageConfig(name="x", steps=1, frozen=("encoder",))
    with pytest.raises(InputError, match=r"stage 'x' names the parameter group 'encoder'; allowed: all"):
        run(plain_config(steps=None, stages=(wrong,)), tmp_path / "a")
    with pytest.raises(InputError, match="stage 'x'; Plain has no stages"):
        run(plain_config(steps=None, stages=(StageConfig(name="x", steps=1),)), tmp_path / "b")


@pytest.mark.parametrize("values", [(1.0, 2.0, 0.9), (1.0, 0.0, 0.9), (1.0, 0.5, 1.1), (1.0, 0.5, 0.0)])
def test_a_decay_falls_to_a_positive_floor(values: tuple[float, float, float]) -> None:
    with pytest.raises(InputError, match="allowed: 0 < end <= start and a factor in"):
        ExponentialDecay(*values)


def test_the_decay_of_the_paper() -> None:
    decay = ExponentialDecay(1.5, 0.1, 0.9999972)
    assert decay(0) == 1.5
    assert decay(100_000) == pytest.approx(1.5 * 2.718281828 ** (-0.28), rel=1e-3)
    assert decay(10**7) == 0.1
