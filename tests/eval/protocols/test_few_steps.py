from __future__ import annotations

import pytest
import torch
from tests.eval.named import named

from seqdis.core.diffusion.samplers.dpmpp import DPMPPConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.errors import InputError
from seqdis.core.methods.diffsda import DiffSDA, DiffSDAConfig
from seqdis.core.metric import Estimate
from seqdis.core.nn.backbones import BackboneConfig, vector_denoiser, vector_frame_encoder
from seqdis.eval.protocols.few_steps import cases, few_steps, within_two_percent


@pytest.fixture
def model() -> DiffSDA:
    backbone = BackboneConfig(kind="mlp", channels=8, multipliers=(1,))
    config = DiffSDAConfig(
        static_dim=4, dynamic_dim=2, hidden_dim=8, encoder=backbone, denoiser=backbone,
        sampler=EDMConfig(steps=5, s_churn=3.0),
    )  # fmt: skip
    return DiffSDA(
        frame_shape=(4,),
        frame_encoder=vector_frame_encoder(backbone, frame_shape=(4,), features=8),
        denoiser=vector_denoiser(backbone, frame_shape=(4,), condition=6),
        config=config,
    ).eval()


def test_every_sampler_keeps_to_the_budget() -> None:
    found = {case.name: case for case in cases(EDMConfig(s_churn=9.0, rho=5.0), [8, 63])}
    assert list(found) == [
        *("edm 7", "ddim 8", "ddpm 8", "dpmpp 8", "unipc 8"),
        *("edm 63", "ddim 63", "ddpm 63", "dpmpp 63", "unipc 63"),
    ]
    assert found["edm 7"].config.steps == 4
    assert {case.config.rho for case in found.values()} == {5.0}
    assert found["edm 7"].config.s_churn == 0
    assert [case.name for case in found.values() if not case.inverts] == ["ddpm 8", "ddpm 63"]


def test_the_names_tell_what_was_spent(model: DiffSDA, world, reader) -> None:
    evaluations = []
    model.denoiser.network.register_forward_hook(lambda *_: evaluations.append(1))
    reports = []
    metrics = few_steps(
        model,
        world(20, 0),
        world(20, 1),
        reader,
        pairs=3,
        budgets=[8],
        progress=lambda *now: reports.append(now),
    )
    # An inversion, which starts at the last level above 0 (N − 1 steps), and three decodings; DDPM has no
    # inversion and two decodings.
    assert len(evaluations) == (6 + 3 * 7) + (7 + 3 * 8) * 3 + 2 * 8
    assert reports[-1] == (5, 5)
    assert model.sampling.config.s_churn == 3.0  # its own sampler is back
    assert set(metrics) == {
        *(f"{m}@{c}" for m in ("decoding_mse", "swap_label_accuracy", "swap_joint_accuracy")
          for c in ("edm 7", "ddim 8", "ddpm 8", "dpmpp 8", "unipc 8")),
        *(f"reconstruction_mse@{c}" for c in ("edm 7", "ddim 8", "dpmpp 8", "unipc 8")),
    }  # fmt: skip


def test_the_figures_are_those_of_the_model_with_that_sampler(model: DiffSDA, world, reader) -> None:
    test = world(20, 1)
    metrics = few_steps(model, world(20, 0), test, reader, pairs=20, budgets=[12])
    model.sampling.use(DPMPPConfig(steps=12))
    x = test.fetch(range(20)).x
    with torch.no_grad():
        error = (model.reconstruct(x) - x).square().mean().item()
    assert metrics["reconstruction_mse@dpmpp 12"].value == pytest.approx(error, rel=1e-3)
    assert metrics["reconstruction_mse@dpmpp 12"].n == 20


def test_without_a_judge_swaps_are_left_out(model: DiffSDA, world) -> None:
    metrics = few_steps(model, world(20, 0), world(20, 1), None, pairs=2, budgets=[4])
    assert not [name for name in metrics if name.startswith("swap")]


def test_within_two_percent_is_of_quality() -> None:
    def error(value: float) -> Estimate:
        return Estimate(value=value, chance=1.0, direction="lower")

    estimates = {
        "mse@edm 63": error(0.01), "mse@ddim 16": error(0.029), "mse@dpmpp 12": error(0.03),
        "mse@unipc 12": error(0.005), "mse@ddpm 4": error(0.2),
        "accuracy@edm 63": Estimate(value=0.5), "accuracy@ddim 4": Estimate(value=0.49), "accuracy@ddpm 4": Estimate(value=0.48),
    }  # fmt: skip
    metrics = named(estimates)
    cost = {case: int(case.split()[1]) for case in metrics.by_case()}
    # 0.98·(1 − 0.01) = 0.9702: an error of 0.0298 is allowed.
    assert within_two_percent(metrics, "mse", cost) == ["unipc 12", "ddim 16", "edm 63"]
    assert within_two_percent(metrics, "accuracy", cost) == ["ddim 4", "edm 63"]
    with pytest.raises(InputError, match="other@edm 63 was not measured"):
        within_two_percent(metrics, "other", cost)
