"""Whatever stands in an unobserved or padded entry changes no output bit: all methods, all public calls."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqdis.core import Sequences, build_model, encode, get_preset, swap
from seqdis.core.capabilities import Invertible
from seqdis.core.config import apply_overrides
from seqdis.core.disentangler import Disentangler
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import list_methods

QUICK = {"diffsda": ("sampler.steps=2",), "divid": ("sampler.steps=2",), "bcd": ("sampler.steps=2",)}
PRESETS = (
    "diffsda-shapes",
    "divid-shapes",
    "s3vae-shapes",
    "vdsm-pendulum16",
    "bcd-shapes",
    "dsvae-shapes",
    "diffsda-waves",
    "dsvae-waves",
    "diffsda-tones",
    "s3vae-tones",
)


def model_of(preset: str) -> Disentangler:
    torch.manual_seed(0)
    config = get_preset(preset)
    config = apply_overrides(config, QUICK.get(config.method, ()))
    return build_model(config).eval()


def sequences(model: Disentangler, *, fill: float | None, seed: int = 0) -> Sequences:
    """Three sequences with padding, a missing step inside one of them, and missing entries, all filled alike."""
    assert model.run_config is not None
    steps = min(model.run_config.data.length, 8)
    g = torch.Generator().manual_seed(seed)
    x = torch.rand((3, steps, *model.frame_shape), generator=g)
    mask = torch.arange(steps) < torch.tensor([steps, steps - 2, steps])[:, None]
    mask[2, 2] = False
    observed = torch.rand(x.shape, generator=g) > 0.2
    if fill is not None:
        valid = observed & mask.view(*mask.shape, *(1,) * (x.ndim - 2))
        x = torch.where(valid, x, torch.full_like(x, fill))
    return Sequences(x, mask=mask, observed=observed, targets=_targets(model, steps))


def _targets(model: Disentangler, steps: int) -> dict[str, Tensor]:
    prediction = getattr(getattr(model, "config", None), "prediction", None)
    if not hasattr(prediction, "target"):
        return {}
    return {prediction.target: torch.zeros(3, steps, prediction.width)}


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


CALLS: dict[str, Callable[[Disentangler, Sequences, Sequences], Tensor]] = {
    "encode": lambda model, a, _: model.encode(a).flatten(),
    "encode by the face": lambda model, a, _: encode(model, a).flatten(),
    "reconstruct": lambda model, a, _: model.reconstruct(a, generator=generator()),
    "reconstruct from fresh noise": lambda model, a, _: model.reconstruct(
        a, noise="fresh", generator=generator()
    ),
    "swap": lambda model, a, b: model.swap(a, b, generator=generator()),
    "swap from the static lender's noise": lambda model, a, b: model.swap(
        a, b, noise="static", generator=generator()
    ),
    "swap by the face": lambda model, a, b: swap(model, a, b, generator=generator()).a_static_b_dynamic,
    "loss": lambda model, a, _: (
        model.train().loss(a, generator=GeneratorStack.shard(0, 3, slice(0, 3))).loss.detach()
    ),
}


@pytest.mark.parametrize("preset", PRESETS)
def test_what_stands_in_a_gap_changes_no_bit(preset: str) -> None:
    model = model_of(preset)
    kinds = (None, 0.5, float("nan"), float("inf"))
    batches = [tuple(sequences(model, fill=fill, seed=seed) for seed in (0, 1)) for fill in kinds]
    if isinstance(model, Invertible):
        factors = model.encode(batches[0][0])
        noise = [model.invert(a, factors) for a, _ in batches]
        assert all(torch.equal(noise[0], other) for other in noise[1:]), "invert"
    for name, call in CALLS.items():
        model.eval()
        first, *others = (call(model, a, b) for a, b in batches)
        assert torch.isfinite(first).all(), name
        assert all(torch.equal(first, other) for other in others), name


def test_every_installed_method_is_tried() -> None:
    assert {get_preset(preset).method for preset in PRESETS} >= set(list_methods())
