"""VDSM learns lamps of a colour that blink or stay: swaps, the action alone, long sequences."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from tests.core.methods.vdsm.tiny_vdsm import SIDE, STEPS, make, rows
from torch import Tensor

from seqdis.core.methods.vdsm import VDSM
from seqdis.core.methods.vdsm.state_space import roll_out
from seqdis.core.sequences import Sequences
from seqdis.core.training.hooks import hooks_of


def lamps(count: int, seed: int, steps: int = STEPS) -> tuple[Tensor, Tensor, Tensor]:
    """A lamp of one of three colours is bright or dim throughout, or blinks: clips, colours, which of them blink."""
    g = torch.Generator().manual_seed(seed)
    colour, blinks, first = (torch.randint(n, (count,), generator=g) for n in (3, 2, 2))
    bright = (first[:, None] + blinks[:, None] * torch.arange(steps)) % 2
    tint = torch.eye(3)[colour][:, None] * (0.2 + 0.8 * bright[..., None])
    return tint[..., None, None].expand(-1, -1, -1, SIDE, SIDE).clone(), colour, blinks


def read(x: Tensor) -> tuple[Tensor, Tensor]:
    """The colour of each clip, and which frames are bright."""
    light = x.mean((3, 4))
    return light.mean(1).argmax(1), light.amax(2) > 0.6


def changes(bright: Tensor) -> Tensor:
    """How many times a lamp went on or off."""
    return (bright[:, 1:] != bright[:, :-1]).sum(1)


@pytest.fixture(scope="module")
def trained() -> VDSM:
    """Both stages, in some seconds of nothing but the loss."""
    model = make(static_dim=4, observation_std=0.85, evidence=True).train()
    x, _, _ = lamps(512, 0)
    model.normalizer.mean.fill_(x.mean())
    model.normalizer.std.fill_(x.std())
    picks = torch.Generator().manual_seed(0)
    step = 0
    for stage, frozen, length in (
        ("frames", {"sequence"}, 260),
        ("sequences", {"encoder", "decoder", "frame_pose"}, 340),
    ):
        hooks_of(model).on_stage(stage)
        hooks_of(model).set_scheduled("temperature", 1.0)
        groups = hooks_of(model).parameter_groups()
        learnt = [p for name, group in groups.items() if name not in frozen for p in group]
        optimizer = torch.optim.Adam(learnt, 5e-3)
        for k in range(length):
            first, last = (30.0, 1.0) if stage == "frames" else (0.1, 1.0)
            hooks_of(model).set_scheduled(
                "kl_pose_weight", first * (last / first) ** min(1.0, 1.5 * k / length)
            )
            chosen = x[torch.randint(len(x), (16,), generator=picks)]
            optimizer.zero_grad()
            model.loss(Sequences(chosen), generator=rows(16, step)).loss.backward()
            optimizer.step()
            step += 1
    return model.eval()


def test_trained_model_separates_who_from_what(trained: VDSM) -> None:
    x, colour, _ = lamps(24, 1)
    got_colour, bright = read(trained.swap(x[:12], x[12:]))
    assert (got_colour == colour[:12]).float().mean() >= 0.9
    assert (bright == read(x[12:])[1]).float().mean() >= 0.9


def test_an_action_alone_is_transferred(trained: VDSM) -> None:
    """A steady lamp learns to blink from another one, and begins as it was."""
    x, colour, blinks = lamps(64, 2)
    steady = blinks == 0
    got_colour, bright = read(trained.swap(x[steady][:12], x[~steady][:12], extra="action"))
    assert (got_colour == colour[steady][:12]).float().mean() >= 0.9
    assert (bright[:, 0] == read(x[steady][:12])[1][:, 0]).float().mean() >= 0.9
    assert changes(bright).float().mean() > 4


def test_it_goes_on_past_the_length_of_training(trained: VDSM) -> None:
    """Forty frames of a lamp that was seen for six: one that blinks goes on to blink, a steady one does not begin."""
    x, colour, blinks = lamps(32, 3)
    seen = trained.encode(x)
    poses = roll_out(trained.transition, seen.dynamic[:, 0], seen.extras["action"].value, steps=40)
    got_colour, bright = read(trained.decode(replace(seen, dynamic=poses)))
    assert (got_colour == colour).float().mean() >= 0.9
    assert changes(bright[blinks == 1, 20:]).float().mean() > 16
    assert changes(bright[blinks == 0, 20:]).float().mean() < 2
