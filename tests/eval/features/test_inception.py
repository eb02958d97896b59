from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from seqdis.core.errors import InputError
from seqdis.eval.features import inception
from seqdis.eval.features.inception import Inception


@pytest.fixture(scope="module")
def network() -> Inception:
    """With weights that keep the features' scale, and running statistics that are not the default."""
    g = torch.Generator().manual_seed(0)
    network = Inception().eval()
    for tensor in [*network.parameters(), *network.buffers()]:
        if tensor.ndim == 4:
            tensor.data = torch.randn(tensor.shape, generator=g) * (2 / tensor[0].numel()) ** 0.5
        elif tensor.is_floating_point():
            tensor.data = 0.75 + 0.5 * torch.rand(tensor.shape, generator=g)
    return network


def frames(seed: int, *shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def test_it_is_the_network_of_pytorch_fid(network: Inception, monkeypatch: pytest.MonkeyPatch) -> None:
    peer = pytest.importorskip("pytorch_fid.inception")
    state = {**network.state_dict(), "fc.weight": torch.zeros(1008, 2048), "fc.bias": torch.zeros(1008)}
    monkeypatch.setattr(peer, "load_state_dict_from_url", lambda *_, **__: state)
    expected = peer.InceptionV3().eval()
    x = (255 * frames(1, 2, 3, 20, 31)).round() / 255
    with torch.no_grad():
        torch.testing.assert_close(network(x), expected(x)[0].flatten(1), rtol=1e-5, atol=1e-5)


def test_frames_are_rounded_as_files_hold_them(network: Inception) -> None:
    x = frames(2, 1, 3, 16, 16)
    rounded = (255 * x).round() / 255
    assert torch.equal(network(x), network(rounded))
    assert torch.equal(network(x + 2), network(torch.ones_like(x)))
    assert network(x).shape == (1, 2048)


def test_it_opens_a_file_of_its_weights(
    network: Inception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inception, "WEIGHTS", replace(inception.WEIGHTS, sha256=""))
    path = tmp_path / "w.pth"
    torch.save({**network.state_dict(), "fc.weight": torch.zeros(1008, 2048)}, path)
    opened = Inception.open(path)
    x = frames(3, 1, 3, 8, 8)
    assert torch.equal(opened(x), network(x))
    torch.save({"fc.weight": torch.zeros(1)}, path)
    with pytest.raises(InputError, match="its tensors are not Inception's") as error:
        Inception.open(path)
    assert "\n" not in str(error.value)


def test_without_the_file_it_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQDIS_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    with pytest.raises(
        InputError, match=r"no weights pt_inception-2015-12-05-6726825d\.pth, SHA-256 6726825d…"
    ):
        Inception.open()
