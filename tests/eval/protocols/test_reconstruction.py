from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.eval.engine.reconstruction_error import reconstruction_mse
from seqdis.eval.features.opened import FeatureNetworks
from seqdis.eval.features.torchscript import ScriptedIdentity, ScriptedKeypoints
from seqdis.eval.protocols.reconstruction import reconstruction_protocol


def test_the_error_is_that_of_the_clips(world: Any, channels: Any) -> None:
    train, test, model = world(40, 0), world(30, 1), channels("constant").eval()
    found = reconstruction_protocol(model, train, test)["mse"]
    assert found == reconstruction_mse(model, train, test).named("mse", role="reconstruction")
    assert found.value == pytest.approx(float((test.fetch(range(30)).x - 1).square().mean()))
    assert reconstruction_protocol(channels().eval(), train, test)["mse"].value == 0
    some = reconstruction_protocol(model, train, test, clips=7, batch_size=2)["mse"]
    assert some.n == 7
    assert some == reconstruction_protocol(model, train, test, clips=7)["mse"]


def test_failed_detections_are_dropped_or_count_as_perfect(
    planes: Any, tmp_path: Path, scripts: ModuleType
) -> None:
    class Blackens(planes):
        """The second half of a clip comes back black, the first with the planes' peaks one pixel off."""

        def _decode(self, factors: Any, **rest: Any) -> torch.Tensor:
            x = super()._decode(factors, **rest).roll(1, dims=4)
            x[:, 2:] = 0
            return x

    data = ArraySequences(torch.zeros(5, 4, 3, 8, 8))
    data._x[..., 3, 4] = 1
    networks = FeatureNetworks(
        keypoints=ScriptedKeypoints(scripts.written(scripts.Peaks(), tmp_path / "b.pt")),
        identity=ScriptedIdentity(scripts.written(scripts.FirstPlane(), tmp_path / "c.pt")),
    )
    corrected, published = (
        reconstruction_protocol(Blackens().eval(), data, data, features=networks, mode=mode)
        for mode in ("corrected", "published")
    )
    assert (corrected["akd"].value, published["akd"].value) == (1, 0.5)
    assert corrected["akd_detected"].value == published["akd_detected"].value == 0.5
    assert corrected["aed"].value == pytest.approx(0, abs=1e-7)  # the plane's mean is what it was


def test_networks_refuse_clips_with_gaps_and_frames_that_are_no_pictures(
    world: Any, channels: Any, tmp_path: Path, scripts: ModuleType
) -> None:
    networks = FeatureNetworks(
        identity=ScriptedIdentity(scripts.written(scripts.FirstPlane(), tmp_path / "c.pt"))
    )
    with pytest.raises(InputError, match=r"got frames \(4,\)"):
        reconstruction_protocol(channels().eval(), world(40, 0), world(8, 1), features=networks)
    full = world(8, 0)
    mask = torch.ones(8, 5, dtype=torch.bool)
    mask[3, 4] = False
    padded = ArraySequences(full.fetch(range(8)).x, mask=mask)
    with pytest.raises(InputError, match="a feature network takes whole clips; 1 entries are missing"):
        reconstruction_protocol(channels().eval(), full, padded, features=networks)
