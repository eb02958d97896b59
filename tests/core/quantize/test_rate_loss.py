"""The bitrate loss at work: towards its target from both sides, and what codes do without it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seqdis.core.quantize import Bitrate, GroupVectorQuantizer, codebook_use
from seqdis.core.random import GeneratorStack

ENTRIES = 8
BATCH, STEPS = 64, 8


def points(seed: int, count: int = BATCH, steps: int = STEPS) -> Tensor:
    """Uniform on a square: every entry has something to say."""
    return 2 * torch.rand(count, steps, 2, generator=torch.Generator().manual_seed(seed)) - 1


class Coder(nn.Module):
    """Points through one codebook and back; ``crowded`` starts with nearly all points on the first entry."""

    def __init__(self, *, target: float | None, crowded: bool = False, **options: Any) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encode, self.decode = nn.Linear(2, 4), nn.Linear(4, 2)
        self.quantizer = GroupVectorQuantizer(groups=1, codes=ENTRIES, dim=4, distance_scale=6.0, **options)
        self.bitrate = Bitrate(target=target)
        if crowded:
            with torch.no_grad():
                self.quantizer.codebook[:, 0] = self.encode.bias
                self.quantizer.codebook[:, 1:] += 1.5 * self.quantizer.codebook[:, 1:].sign()

    def rates(self, steps: int, count: int = BATCH, each: int = STEPS) -> list[float]:
        """Learn; the rate of each batch."""
        optimizer, rates = torch.optim.Adam(self.parameters(), 2e-2), []
        for step in range(steps):
            x = points(step, count, each)
            out = self.quantizer(self.encode(x), generator=GeneratorStack.shard(step, count, slice(0, count)))
            rate = self.bitrate(out.entropy_bits)
            loss = (self.decode(out.z) - x).square().mean()
            loss = loss if rate.loss is None else loss + rate.loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            rates.append(float(rate.bits_per_frame.detach()))
        return rates

    def held_out(self) -> float:
        """The rate of the codes that inference takes, on points that it never saw."""
        self.eval()
        codes = torch.cat([self.quantizer(self.encode(points(10_000 + i))).codes for i in range(20)])
        return codebook_use(codes, entries=ENTRIES).bits_per_frame


@pytest.mark.parametrize(("target", "crowded"), [(1.0, False), (2.0, True)])
def test_the_rate_reaches_its_target_from_above_and_from_below(target: float, crowded: bool) -> None:
    coder = Coder(target=target, crowded=crowded)
    rates = coder.rates(300)
    assert (rates[0] < 0.5 * target) if crowded else (rates[0] > 1.5 * target)
    assert sum(rates[-20:]) / 20 == pytest.approx(target, rel=0.05)
    assert coder.held_out() == pytest.approx(target, rel=0.05)


def test_without_the_loss_the_rate_is_what_the_codebook_allows() -> None:
    coder = Coder(target=None)
    coder.rates(300)
    assert 0.95 * coder.quantizer.capacity_bits <= coder.held_out() <= coder.quantizer.capacity_bits


def test_the_entropy_of_a_small_batch_falls_short_unless_it_remembers() -> None:
    """H is concave: the mean entropy of six codes at a time is below that of all, which the loss would make up for."""
    plain, remembering = (Coder(target=1.5, ema_decay=ema_decay) for ema_decay in (0.0, 0.97))
    remembering.rates(1200, count=6, each=1)
    plain.load_state_dict(remembering.state_dict())
    means = []
    for coder in (plain, remembering):
        with torch.no_grad():
            entropies = [
                coder.quantizer(
                    coder.encode(points(step, 6, 1)), generator=GeneratorStack.shard(step, 6, slice(0, 6))
                )
                for step in range(300)
            ]
        means.append(sum(float(out.entropy_bits) for out in entropies[100:]) / 200)
    assert means[0] < 0.95 * means[1]
    assert means[1] == pytest.approx(1.5, rel=0.05)
    assert remembering.held_out() == pytest.approx(1.5, rel=0.08)


def test_without_the_loss_codes_that_fell_on_one_entry_come_back() -> None:
    fallen, revived = (Coder(target=None, crowded=True, reset_dead_codes=revive) for revive in (0, 10))
    for coder in (fallen, revived):
        with torch.no_grad():
            coder.quantizer.codebook[:, 1:] *= 20
        coder.rates(300)
    assert fallen.held_out() < 0.1
    assert revived.held_out() >= 0.9 * revived.quantizer.capacity_bits
