from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.features import inception
from seqdis.eval.features.inception import Inception

pytest.importorskip("pytorch_fid", reason="the extra seqdis-eval[fid]")


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory: pytest.TempPathFactory, scripts: ModuleType) -> Path:
    path: Path = scripts.inception_weights(tmp_path_factory.mktemp("weights") / "w.pth")
    return path


@pytest.fixture
def weights(random_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of random weights, whose checksum is not compared."""
    monkeypatch.setattr(inception, "WEIGHTS", replace(inception.WEIGHTS, sha256=""))
    return random_weights


@pytest.fixture(autouse=True)
def _nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a download")

    monkeypatch.setattr(torch.hub, "download_url_to_file", refuse)


def frames(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_its_features_are_those_that_pytorch_fid_takes_from_picture_files(
    weights: Path, tmp_path: Path
) -> None:
    from PIL import Image
    from pytorch_fid import fid_score
    from pytorch_fid import inception as library

    brightness = torch.tensor([0.1, 0.5, 1.0])[:, None, None, None]
    x, files = brightness * frames(1, 3, 3, 20, 31), []
    for row, picture in enumerate(x):
        files.append(tmp_path / f"{row}.png")
        Image.fromarray((picture * 255).round().byte().permute(1, 2, 0).numpy()).save(files[-1])
    state = torch.load(weights, weights_only=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, "load_state_dict_from_url", lambda *_, **__: state)
        network = library.InceptionV3([library.InceptionV3.BLOCK_INDEX_BY_DIM[2048]])
    expected = torch.from_numpy(fid_score.get_activations(files, network, num_workers=0)).float()
    found = Inception.open(weights)(x)
    assert found.shape == (3, 2048)
    assert float(expected.std(0).mean()) > 100 * 1e-4  # pictures differ by far more than the tolerance
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


def test_frames_are_rounded_as_files_hold_them(weights: Path) -> None:
    network, x = Inception.open(weights), frames(2, 1, 3, 16, 16)
    rounded = (255 * x).round() / 255
    assert torch.equal(network(x), network(rounded))
    assert torch.equal(network(x + 2), network(torch.ones_like(x)))


def test_the_library_downloads_again_once_a_file_was_opened(weights: Path, tmp_path: Path) -> None:
    from pytorch_fid import inception as library

    before = library.load_state_dict_from_url
    Inception.open(weights)
    broken = tmp_path / "w.pth"
    torch.save({"fc.weight": torch.zeros(1)}, broken)
    with pytest.raises(InputError, match="its tensors are not Inception's") as error:
        Inception.open(broken)
    assert "\n" not in str(error.value)
    assert library.load_state_dict_from_url is before


def test_without_the_file_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        InputError, match=r"no weights pt_inception-2015-12-05-6726825d\.pth, SHA-256 6726825d…"
    ):
        Inception.open()


def test_without_the_library_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytorch_fid.inception", None)
    with pytest.raises(InputError) as error:
        Inception.open()
    assert str(error.value) == "FID: pytorch-fid is not installed: pip install 'seqdis-eval[fid]'"
