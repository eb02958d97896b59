"""The swap protocol on models that are right or wrong in known ways."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.eval.features.opened import FeatureNetworks
from seqdis.eval.features.torchscript import ScriptedIdentity, ScriptedKeypoints
from seqdis.eval.metrics.frechet import frechet_distance
from seqdis.eval.protocols import swap


def test_a_perfect_model_swaps_all_and_leaks_nothing(world: Any, channels: Any, reader: Any) -> None:
    metrics = swap.swap_protocol(channels().eval(), world(400, 0), world(400, 1), judge=reader)
    assert metrics["swap_joint_accuracy"].value == 1
    assert metrics["probe_level_from_static"].value == 1
    leak = metrics["leakage"]
    # Channels of another side say nothing: the probes guess.
    assert leak.value == pytest.approx(leak.chance, abs=0.12)
    assert not leak.higher_is_better


def test_a_reversed_model_swaps_nothing_and_leaks_all(world: Any, channels: Any, reader: Any) -> None:
    metrics = swap.swap_protocol(channels("reversed").eval(), world(400, 0), world(400, 1), judge=reader)
    assert metrics["swap_joint_accuracy"].value < 0.3
    assert metrics["leakage"].value == pytest.approx(1, abs=0.02)


def test_clips_without_labels_are_refused(channels: Any) -> None:
    plain = ArraySequences(torch.randn(30, 5, 4))
    with pytest.raises(InputError, match="carry no labels"):
        swap.swap_protocol(channels().eval(), plain, plain)


def test_identity_is_compared_with_one_lender_and_motion_with_the_other(
    planes: Any, tmp_path: Path, scripts: ModuleType
) -> None:
    data = ArraySequences(torch.rand(6, 4, 3, 8, 8, generator=torch.Generator().manual_seed(0)))
    networks = FeatureNetworks(
        keypoints=ScriptedKeypoints(scripts.written(scripts.Peaks(), tmp_path / "b.pt")),
        identity=ScriptedIdentity(scripts.written(scripts.FirstPlane(), tmp_path / "c.pt")),
    )
    pairs = [(0, 1), (2, 5)]
    metrics = swap.swap_protocol(planes().eval(), data, data, pairs=pairs, features=networks)
    assert metrics["aed"].value == pytest.approx(0, abs=1e-6)  # the first plane is the static lender's
    x = data.fetch(range(6)).x

    def peaks(clip: torch.Tensor) -> torch.Tensor:
        place = clip.flatten(2).argmax(2)
        return torch.stack([place % 8, place // 8], dim=2)

    # The other two planes are the dynamic lender's, and so are their peaks.
    off = [(peaks(x[s]) - peaks(x[d])).abs().sum(2)[:, 0].double().mean() / 3 for s, d in pairs]
    assert metrics["akd"].value == pytest.approx(float(sum(off) / 2))
    assert metrics["aed"].n == 2
    assert "swap_joint_accuracy" not in metrics


class Means:
    """Channel means, as a network for pictures."""

    name = "means"

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        return frames.mean((2, 3))


def test_swapped_frames_are_compared_with_the_real_ones_that_lent_the_dynamics(planes: Any) -> None:
    train, test = (
        ArraySequences(torch.rand(9, 4, 3, 8, 8, generator=torch.Generator().manual_seed(seed)))
        for seed in (0, 1)
    )
    pairs = [(0, 1), (2, 5), (7, 3)]
    networks = FeatureNetworks(frames=Means())
    metrics = swap.swap_protocol(planes().eval(), train, test, pairs=pairs, features=networks)
    x = test.fetch(range(9)).x
    real = torch.stack([x[d] for _, d in pairs])
    # The first plane is the static lender's.
    swapped = torch.stack([torch.cat([x[s, :, :1], x[d, :, 1:]], dim=1) for s, d in pairs])
    expected = frechet_distance(*(clips.mean((3, 4)).flatten(0, 1) for clips in (swapped, real)))
    assert metrics["fid"].value == pytest.approx(expected)
    assert (metrics["fid"].n, metrics["fid_real"].n) == (12, 12)
    assert not metrics["fid"].higher_is_better
    # Each clip lends its dynamics to itself: the frames are the real ones.
    same = swap.swap_protocol(
        planes().eval(), train, test, pairs=[(i, i) for i in range(9)], features=networks
    )
    assert same["fid"].value == pytest.approx(0, abs=1e-9)
    assert same["fid_real"].value > 1e-6
    with pytest.raises(InputError, match="fid, fvd: at least 2 swaps are needed; got 1"):
        swap.swap_protocol(planes().eval(), train, test, pairs=1, features=networks)


def test_a_list_of_pairs_is_taken_as_it_is(world: Any, channels: Any, reader: Any) -> None:
    test = world(40, 1)
    metrics = swap.swap_protocol(channels().eval(), world(100, 0), test, pairs=[(3, 3), (4, 4)], judge=reader)
    assert metrics["swap_joint_accuracy"].n == 2
    assert metrics["swap_joint_accuracy"].value == 1
