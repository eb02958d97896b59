from __future__ import annotations

import zipfile
from pathlib import Path
from types import ModuleType

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from seqdis.core.errors import InputError
from seqdis.eval.features.torchscript import I3D, ScriptedIdentity, ScriptedKeypoints, load_script


def test_clips_reach_i3d_as_stylegan_v_sends_them(tmp_path: Path, scripts: ModuleType) -> None:
    network = I3D(scripts.written(scripts.ClipNetwork(), tmp_path / "i3d.pt"))
    clips = torch.rand(2, 12, 3, 20, 30, generator=torch.Generator().manual_seed(0))
    found = network(clips)
    wide = F.interpolate(clips.flatten(0, 1), size=(224, 336), mode="bilinear", align_corners=False)
    cut = 2 * wide[..., 56:280].unflatten(0, (2, 12)) - 1
    assert torch.equal(found[:, 6:], torch.full((2, 2), 224.0))
    torch.testing.assert_close(found[:, :3], cut[:, :6].mean((1, 3, 4)))
    torch.testing.assert_close(found[:, 3:6], cut[:, 6:].mean((1, 3, 4)))


def test_short_clips_are_refused(tmp_path: Path, scripts: ModuleType) -> None:
    network = I3D(scripts.written(scripts.ClipNetwork(), tmp_path / "i3d.pt"))
    with pytest.raises(InputError, match=r"I3D \(FVD\) takes clips of 10 frames or more; got 8"):
        network(torch.zeros(1, 8, 3, 16, 16))


def test_without_the_file_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(InputError, match=rf"no weights i3d_torchscript\.pt; looked for {tmp_path}/hub"):
        I3D()


def test_files_that_are_no_scripts_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"absent\.pt: no such file"):
        load_script(tmp_path / "absent.pt")
    (tmp_path / "bad.pt").write_bytes(b"bad")
    with pytest.raises(InputError, match="cannot be read as TorchScript") as error:
        load_script(tmp_path / "bad.pt")
    assert "\n" not in str(error.value)


def test_scripts_of_ones_own_give_points_and_embeddings(tmp_path: Path, scripts: ModuleType) -> None:
    keypoints = ScriptedKeypoints(scripts.written(scripts.Peaks(), tmp_path / "peaks.pt"))
    identity = ScriptedIdentity(scripts.written(scripts.FirstPlane(), tmp_path / "plane.pt"))
    frames = torch.zeros(2, 3, 4, 6)
    frames[0, :, 1, 5] = 0.5
    assert torch.equal(keypoints(frames)[0], torch.tensor([[5.0, 1.0]]).expand(3, 2))
    assert bool(keypoints(frames)[1].isnan().all())
    assert identity(frames)[0].tolist() == pytest.approx([0.5 / 24, 1 - 0.5 / 24])
    assert bool(identity(frames)[1].isnan().all())
    assert (keypoints.name, identity.name, identity.squared) == ("peaks.pt", "plane.pt", False)


def test_a_script_with_another_result_is_refused(tmp_path: Path, scripts: ModuleType) -> None:
    path = scripts.written(scripts.Wrong(), tmp_path / "wrong.pt")
    with pytest.raises(InputError, match=r"identity returned \(\); allowed: \(2, \*\)"):
        ScriptedIdentity(path)(torch.zeros(2, 3, 4, 4))
    with pytest.raises(InputError, match=r"keypoints returned \(\); allowed: \(2, \*, 2\)"):
        ScriptedKeypoints(path)(torch.zeros(2, 3, 4, 4))
    with pytest.raises(InputError, match=r"wrong\.pt: I3D: ") as error:
        I3D(path)(torch.zeros(1, 10, 3, 8, 8))
    assert "\n" not in str(error.value)


def test_a_script_that_did_not_come_whole_is_told_before_it_is_run(tmp_path: Path) -> None:
    path = tmp_path / "net.pt"
    torch.jit.trace(torch.nn.Linear(2, 2), torch.zeros(1, 2)).save(str(path))
    whole = path.read_bytes()
    load_script(path)
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        for part in parts:
            if part.compress_type == zipfile.ZIP_STORED and part.file_size:
                at = whole.index(archive.read(part), part.header_offset)
                path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
                with pytest.raises(InputError, match=rf"TorchScript: {part.filename} in it is damaged$"):
                    load_script(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("net/data", bytes(1 << 25))
    with pytest.raises(
        InputError, match=r"33554432 bytes unpacked in a file of \d+ bytes; allowed: 16777216"
    ):
        load_script(path)


class Odd(nn.Module):
    """Fails as no library does, or returns what is not finite."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.kind == "raises":
            raise ValueError("of its own")
        value = torch.full([len(x), 2], float("inf"))
        return torch.complex(value, value) if self.kind == "complex" else value


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("raises", "of its own"),
        ("inf", "4 of 4 values are NaN or Inf"),
        ("complex", r"returned complex numbers \(2, 2\)"),
    ],
)
def test_a_script_that_fails_or_gives_no_numbers_is_told_by_its_file(
    tmp_path: Path, scripts: ModuleType, kind: str, message: str
) -> None:
    identity = ScriptedIdentity(scripts.written(Odd(kind), tmp_path / "odd.pt"))
    with pytest.raises(InputError, match=rf"odd\.pt: identity.*{message}") as told:
        identity(torch.zeros(2, 3, 4, 4))
    assert "\n" not in str(told.value)


def test_a_script_whose_weights_are_not_finite_is_told_by_the_tensor(
    tmp_path: Path, scripts: ModuleType
) -> None:
    layer = nn.Linear(2, 2)
    nn.init.constant_(layer.bias, torch.nan)
    with pytest.raises(InputError, match=r"bad\.pt: 0\.bias: 2 of 2 values are NaN or Inf"):
        load_script(scripts.written(nn.Sequential(layer), tmp_path / "bad.pt"))
