from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.features.opened import NO_FEATURES, as_pictures, open_features


def test_networks_are_opened_by_name(tmp_path: Path, scripts: ModuleType) -> None:
    clips = scripts.written(scripts.ClipNetwork(), tmp_path / "i3d.pt")
    points = scripts.written(scripts.Peaks(), tmp_path / "peaks.pt")
    plane = scripts.written(scripts.FirstPlane(), tmp_path / "plane.pt")
    found = open_features([f"fvd={clips}", f"akd={points}", f"aed={plane}"])
    assert found.named() == {
        "fvd": "I3D, Kinetics-400 (i3d_torchscript.pt)", "akd": "peaks.pt", "aed": "plane.pt"
    }  # fmt: skip
    assert found.identity is not None
    assert not found.identity.squared
    person = open_features([f"aed=person:{plane}"]).identity
    assert person is not None
    assert person.squared
    assert open_features([]) == NO_FEATURES


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["psnr"], "unknown feature network 'psnr'; allowed: aed, akd, fid, fvd"),
        (["akd"], "feature network 'akd': say which: akd=face, body, FILE"),
        (["aed="], "feature network 'aed': say which: aed=face, FILE, person:FILE"),
        (["akd=a.pt", "akd=b.pt"], "feature network 'akd': given twice"),
        (["akd=a.pt"], r"a\.pt: no such file; a TorchScript module is needed"),
    ],
)
def test_bad_names_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_features(words)


def test_grey_pictures_get_three_channels_and_others_are_refused() -> None:
    grey = as_pictures(torch.full((2, 5, 1, 4, 4), 1.5))
    assert grey.shape == (2, 5, 3, 4, 4)
    assert bool((grey == 1).all())
    with pytest.raises(InputError, match=r"1 or 3 channels; got frames \(80,\)"):
        as_pictures(torch.zeros(2, 5, 80))
