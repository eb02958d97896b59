from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.eval.features.opened import NO_FEATURES, FeatureNetworks
from seqdis.eval.features.scores import FrechetScores, IdentityScores, MotionScores
from seqdis.eval.features.torchscript import I3D, ScriptedIdentity, ScriptedKeypoints
from seqdis.eval.metrics.frechet import frechet_distance


class Means:
    """Channel means, as a network for pictures."""

    name = "means"

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        return frames.mean((2, 3))


def clips(seed: int, count: int = 3, steps: int = 4) -> torch.Tensor:
    return torch.rand(count, steps, 3, 6, 5, generator=torch.Generator().manual_seed(seed))


def test_nothing_is_gathered_without_networks() -> None:
    for scores in (IdentityScores(None), MotionScores(None)):
        scores.add(torch.zeros(1, 2, 80), torch.zeros(1, 2, 80))
        assert scores.metrics(mode="corrected") == {}
    frechet = FrechetScores(NO_FEATURES)
    frechet.add("real", torch.zeros(1, 2, 80))
    assert (frechet.wanted, frechet.metrics()) == (False, {})


def test_batches_do_not_matter(tmp_path: Path, scripts: ModuleType) -> None:
    network = ScriptedKeypoints(scripts.written(scripts.Peaks(), tmp_path / "peaks.pt"))
    whole, parts = MotionScores(network), MotionScores(network)
    a, b = clips(0), clips(1)
    whole.add(a, b)
    for i in range(3):
        parts.add(a[i : i + 1], b[i : i + 1])
    assert whole.metrics(mode="corrected") == parts.metrics(mode="corrected")
    peak = torch.stack([a.flatten(3).argmax(3) % 5, a.flatten(3).argmax(3) // 5], dim=3)
    other = torch.stack([b.flatten(3).argmax(3) % 5, b.flatten(3).argmax(3) // 5], dim=3)
    expected = (peak - other).abs().sum(3).double().mean()
    assert whole.metrics(mode="corrected")["akd"].value == pytest.approx(float(expected))


def test_failed_detections_add_nothing_and_count_in_published_mode_alone(
    tmp_path: Path, scripts: ModuleType
) -> None:
    path = scripts.written(scripts.FirstPlane(), tmp_path / "plane.pt")
    source, made = torch.full((2, 4, 3, 6, 5), 0.25), torch.full((2, 4, 3, 6, 5), 0.75)
    made[0, :2] = 0  # black: nobody is found in a quarter of all frames
    step = 0.5 * 2**0.5
    for squared, published in ((False, 0.75 * step), (True, 0.75 * step**2)):
        scores = IdentityScores(ScriptedIdentity(path, squared=squared))
        scores.add(made, source)
        corrected = scores.metrics(mode="corrected")
        assert corrected["aed"].value == pytest.approx(step)
        assert corrected["aed_detected"].value == 0.75
        assert "verification_accuracy" not in corrected  # no threshold is known of a script
        assert scores.metrics(mode="published")["aed"].value == pytest.approx(published)


class Colour:
    """Mean of each plane, with a threshold that suits other pictures."""

    name, threshold, squared = "colour", 0.9, False

    def __call__(self, frames: torch.Tensor) -> torch.Tensor:
        return frames.mean((2, 3))


def test_the_threshold_is_that_of_these_clips_where_it_is_known_who_they_show() -> None:
    # Two persons, red and orange, that differ far less than the network's threshold.
    colours = torch.tensor([[0.9, 0.1, 0.1], [0.9, 0.4, 0.1]])
    who = torch.tensor([0, 1, 0, 1, 0, 1])
    noise = 0.05 * torch.rand(6, 3, generator=torch.Generator().manual_seed(0))
    source = (colours[who] + noise)[:, None, :, None, None].expand(6, 2, 3, 4, 4)
    other = source.flip(0)  # everybody is shown as the other one
    known, unknown = IdentityScores(Colour()), IdentityScores(Colour())
    known.add(other, source, [who, torch.zeros(6)])
    unknown.add(other, source)
    assert known.metrics(mode="corrected")["verification_accuracy"].value == 0
    for scores, mode in ((known, "published"), (unknown, "corrected")):
        assert scores.metrics(mode=mode)["verification_accuracy"].value == 1
    same = IdentityScores(Colour())
    same.add(source, source, [who])
    assert same.metrics(mode="corrected")["verification_accuracy"].value == 1
    alone = IdentityScores(Colour())
    alone.add(other, source, [torch.zeros(6)])  # one person: there is nobody to tell apart
    assert alone.metrics(mode="corrected")["verification_accuracy"].value == 1


def test_frechet_distances_are_those_of_the_features(tmp_path: Path, scripts: ModuleType) -> None:
    i3d = I3D(scripts.written(scripts.ClipNetwork(), tmp_path / "i3d.pt"))
    scores = FrechetScores(FeatureNetworks(frames=Means(), clips=i3d))
    sets = {name: clips(seed, 9, 10) for seed, name in enumerate(("generated", "real", "train"))}
    for name, x in sets.items():
        scores.add(name, x[:4])
        scores.add(name, x[4:])
    found = scores.metrics()
    assert list(found) == ["fid", "fid_real", "fvd", "fvd_real"]
    frames = {name: x.mean((3, 4)).flatten(0, 1) for name, x in sets.items()}
    assert found["fid"].value == pytest.approx(frechet_distance(frames["generated"], frames["real"]))
    assert found["fid_real"].value == pytest.approx(frechet_distance(frames["train"], frames["real"]))
    assert (found["fid"].n, found["fvd"].n) == (90, 9)
    assert found["fvd"].value == pytest.approx(
        frechet_distance(i3d(sets["generated"]), i3d(sets["real"])), rel=1e-5, abs=1e-9
    )


def test_training_clips_are_chosen_by_the_seed_and_each_once() -> None:
    data, real = ArraySequences(clips(3, 9)), clips(4, 9)

    def found(count: int, seed: int, batch_size: int = 64) -> float:
        scores = FrechetScores(FeatureNetworks(frames=Means()))
        scores.add("real", real)
        scores.add_training_clips(data, count, seed=seed, batch_size=batch_size)
        metric = scores.metrics()["fid_real"]
        assert metric.n == 4 * min(count, 9)
        return metric.value

    assert found(5, 0) == found(5, 0, batch_size=2)
    assert found(5, 0) != found(5, 1)
    frames = [x.mean((3, 4)).flatten(0, 1) for x in (clips(3, 9), real)]
    assert found(20, 0) == pytest.approx(frechet_distance(frames[0], frames[1]))
