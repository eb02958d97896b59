from __future__ import annotations

import math
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.core.quantize import (
    Bitrate,
    GroupVectorQuantizer,
    batch_histogram,
    codebook_use,
    cross_entropy_bits,
    entropy_bits,
)
from seqdis.core.random import GeneratorStack


def test_entropy_by_hand() -> None:
    histogram = torch.tensor([[0.5, 0.25, 0.25, 0.0], [0.25] * 4, [1.0, 0, 0, 0]])
    torch.testing.assert_close(entropy_bits(histogram), torch.tensor([1.5, 2.0, 0.0]))


def test_entropy_of_an_unused_entry_has_a_finite_gradient() -> None:
    histogram = torch.tensor([[1.0, 0.0]], requires_grad=True)
    entropy_bits(histogram).sum().backward()
    assert histogram.grad is not None
    assert torch.isfinite(histogram.grad).all()


def test_rate_and_loss_by_hand() -> None:
    out = Bitrate(target=3.0, fps=25.0)(torch.tensor([1.5, 2.0]))
    assert out.bits_per_frame.item() == 3.5
    assert out.kbps is not None
    assert out.loss is not None
    assert out.kbps.item() == pytest.approx(0.0875)
    assert out.loss.item() == pytest.approx(0.25)
    free = Bitrate()(torch.tensor([1.5]))
    assert free.loss is None
    assert free.kbps is None


@pytest.mark.parametrize("values", [{"target": 0.0}, {"fps": -1.0}])
def test_targets_are_positive(values: dict[str, float]) -> None:
    with pytest.raises(InputError, match="allowed are numbers above 0"):
        Bitrate(**values)


class Toy(nn.Module):
    """A linear map before the quantiser: what the loss can move."""

    def __init__(self, spread: float) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(8, 8)
        with torch.no_grad():
            self.linear.weight.mul_(spread)
        self.quantizer = GroupVectorQuantizer(groups=2, codes=16, dim=4, distance_scale=10.0)

    def forward(self, x: Tensor) -> Tensor:
        seed = GeneratorStack.shard(0, len(x), slice(0, len(x)))
        out: Tensor = self.quantizer(self.linear(x), generator=seed).entropy_bits
        return out


@pytest.mark.parametrize(("spread", "above"), [(6.0, True), (0.02, False)])
def test_the_loss_brings_the_rate_to_the_target(spread: float, above: bool) -> None:
    target, toy = 4.0, Toy(spread)
    x = torch.randn(64, 32, 8, generator=torch.Generator().manual_seed(1))
    begun = float(toy(x).detach().sum())
    assert (begun > target + 1) if above else (begun < target - 1)
    bitrate, optimizer = Bitrate(target=target), torch.optim.Adam(toy.parameters(), 2e-2)
    for _ in range(120):
        optimizer.zero_grad()
        loss = bitrate(toy(x)).loss
        assert loss is not None
        loss.backward()
        optimizer.step()
    held_out = torch.randn(64, 16, 8, generator=torch.Generator().manual_seed(2))
    assert float(toy(held_out).detach().sum()) == pytest.approx(target, rel=0.05)
    # The estimate is of codes that are drawn: counted, they have that entropy.
    drawn = toy.quantizer(toy.linear(held_out), generator=GeneratorStack.shard(3, 64, slice(0, 64)))
    assert codebook_use(drawn.codes, entries=16).bits_per_frame == pytest.approx(target, rel=0.05)


def test_use_of_a_codebook_by_hand() -> None:
    codes = torch.tensor([[[0, 0], [1, 0]], [[2, 0], [3, 0]]])
    use = codebook_use(codes, entries=8)
    assert use.counts.tolist() == [[1, 1, 1, 1, 0, 0, 0, 0], [4, 0, 0, 0, 0, 0, 0, 0]]
    assert use.entropy_bits.tolist() == [2.0, 0.0]
    assert use.perplexity.tolist() == [4.0, 1.0]
    assert use.dead.tolist() == [4, 7]
    assert use.bits_per_frame == 2.0


def test_bits_of_held_out_codes_under_other_counts() -> None:
    counts = torch.tensor([[3, 1, 0, 0]])  # with one added to each: 4/8, 2/8, 1/8, 1/8
    codes = torch.tensor([[[0], [1], [2], [0]]])
    expected = (1 + 2 + 3 + 1) / 4
    assert cross_entropy_bits(codes, counts=counts).tolist() == [pytest.approx(expected)]
    with pytest.raises(InputError, match="codes of 2 groups; the counts have 1"):
        cross_entropy_bits(torch.zeros(1, 1, 2).long(), counts=counts)


@pytest.mark.full
def test_processes_share_one_histogram_one_gradient_and_one_codebook(tmp_path: Path) -> None:
    logits = torch.randn(4, 3, 2, 5, generator=torch.Generator().manual_seed(0))
    torch.save(logits, tmp_path / "logits.pt")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    script = str(Path(__file__).with_name("shared_rate.py"))
    processes = [subprocess.Popen([sys.executable, script, rank, port, str(tmp_path)]) for rank in ("0", "1")]
    try:
        assert [process.wait(timeout=120) for process in processes] == [0, 0]
    finally:
        for process in processes:
            process.kill()
    results = [torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in range(2)]
    whole = logits.clone().requires_grad_()
    histogram = batch_histogram(whole.softmax(-1))
    Bitrate(target=1.0)(entropy_bits(histogram)).loss.backward()  # type: ignore[union-attr]
    # What DDP does: the mean over two processes of the gradient of what they share. Each row is on one of them.
    gradient = torch.cat([of_part for _, of_part, _ in results]) / 2
    for got, _, codebook in results:
        torch.testing.assert_close(got, histogram.detach())
        assert torch.equal(codebook, results[0][2])  # revived by both alike
        assert (codebook.norm(dim=-1) > 5).any()
    assert whole.grad is not None
    torch.testing.assert_close(gradient, whole.grad)


def test_the_rate_without_a_target_is_bounded_by_the_codebook() -> None:
    vq = GroupVectorQuantizer(groups=4, codes=8, dim=2, distance_scale=50.0).eval()
    m = torch.randn(64, 16, 8, generator=torch.Generator().manual_seed(1))
    assert Bitrate()(vq(m).entropy_bits).bits_per_frame <= 4 * math.log2(8)
