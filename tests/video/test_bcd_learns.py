"""BCD's small preset, trained for about half a minute: both factors say more than chance, at the target's rate."""

from __future__ import annotations

import pytest
import torch

from seqdis.core.analysis import encode_dataset, probe_factors
from seqdis.core.config import apply_overrides
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.subset import Subset
from seqdis.core.methods.bcd import BCD
from seqdis.core.metric import Estimate
from seqdis.core.pretrained import build_model
from seqdis.core.quantize import codebook_use
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import build_dataset, get_preset
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of
from seqdis.core.training.schedule import Schedule

pytestmark = pytest.mark.full
STEPS, CLIPS = 400, 400


def train(model: BCD, data: SequenceDataset, batch: int, lr: float) -> None:
    """As the trainer does, without what it writes."""
    schedule, order = Schedule(STEPS, 50), torch.Generator().manual_seed(0)
    optimizer = torch.optim.AdamW(model.parameters(), lr, weight_decay=0.01)
    temperature = hooks_of(model).schedules()["temperature"]
    hooks_of(model.train()).on_stage("spatial")
    for step in range(STEPS):
        if step == 300:
            hooks_of(model).on_stage("temporal")
        optimizer.param_groups[0]["lr"] = lr * schedule(step)
        hooks_of(model).set_scheduled("temperature", temperature(step))
        x = data.fetch(torch.randint(len(data), (batch,), generator=order).tolist()).x
        optimizer.zero_grad()
        model.loss(Sequences(x), generator=GeneratorStack.shard(step, batch, slice(0, batch))).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    model.eval()


@pytest.fixture(scope="module")
def learnt() -> tuple[dict[str, Estimate], float]:
    """Probes on held-out clips, and the rate of their codes."""
    config = apply_overrides(get_preset("bcd-shapes"), ["precision=fp32"])
    torch.manual_seed(0)
    model, data = build_model(config), build_dataset("video", config.data, "train")
    assert isinstance(model, BCD)
    model.normalizer.fit(data)
    train(model, data, config.train.batch_size, config.train.lr)
    sets = [Subset(part, range(CLIPS)) for part in (data, build_dataset("video", config.data, "test"))]
    known, held_out = (encode_dataset(model, part) for part in sets)
    labels = [part.all_labels() for part in sets]
    codes = held_out.extras["codes"].value
    rate = codebook_use(codes, entries=model.config.codes).bits_per_frame
    return probe_factors(known, labels[0], held_out, labels[1]), rate


@pytest.mark.parametrize(("label", "side"), [("colour", "static"), ("shape", "static"), ("path", "dynamic")])
def test_a_probe_beats_chance_with_confidence(
    learnt: tuple[dict[str, Estimate], float], label: str, side: str
) -> None:
    found = learnt[0][f"probe_{label}_from_{side}"]
    assert found.ci95 is not None
    assert found.chance is not None
    assert found.ci95[0] > 1.5 * found.chance


def test_the_static_factor_says_more_of_the_looks_than_the_codes_do(
    learnt: tuple[dict[str, Estimate], float],
) -> None:
    probes = learnt[0]
    for label in ("colour", "shape"):
        assert probes[f"probe_{label}_from_static"].value > probes[f"probe_{label}_from_dynamic"].value


def test_the_rate_of_held_out_codes_is_near_the_target(learnt: tuple[dict[str, Estimate], float]) -> None:
    assert learnt[1] == pytest.approx(4.0, rel=0.1)
