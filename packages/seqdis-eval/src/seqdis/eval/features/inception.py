"""Inception-v3 as FID uses it: TensorFlow's network of 2015, by pytorch-fid, with its weights from a local file."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from seqdis.core.errors import InputError
from seqdis.eval.features.weights import WeightFile, read_state_dict

__all__ = ["WEIGHTS", "Inception"]

WEIGHTS = WeightFile(
    "pt_inception-2015-12-05-6726825d.pth",
    "Inception (FID)",
    "https://github.com/mseitzer/pytorch-fid/releases/tag/fid_weights",
    "6726825d",
)


@contextlib.contextmanager
def _downloading_nothing(library: Any, state: Mapping[str, Tensor]) -> Iterator[None]:
    """pytorch-fid builds its network with weights that it downloads and unpickles: give it these instead."""
    before = library.load_state_dict_from_url
    library.load_state_dict_from_url = lambda *_, **__: state
    try:
        yield
    finally:
        library.load_state_dict_from_url = before


class Inception:
    """The 2048 pooled features of Inception-v3 (Szegedy et al. 2016) that FID compares (Heusel et al. 2017).

    Frames are rounded to 8 bits, as picture files hold them; pytorch-fid's network resizes them to 299×299
    bilinearly and scales them to [-1, 1].

    Args:
        network: Takes frames ``(N, 3, H, W)`` in [0, 1] and gives a list whose first entry is ``(N, 2048, 1, 1)``.
        device: Device on which it runs.
    """

    name = "Inception-v3, 2015-12-05 (pytorch-fid)"

    def __init__(self, network: nn.Module, *, device: torch.device | str = "cpu") -> None:
        self._network, self._device = network.eval().requires_grad_(False).to(device), device

    @classmethod
    def open(cls, path: Path | None = None, *, device: torch.device | str = "cpu") -> Inception:
        """With pytorch-fid's network and its published weights.

        Args:
            path: The file; see :meth:`WeightFile.find` for where it is looked for when omitted.
            device: Device on which it runs.

        Raises:
            InputError: The library is absent; or the file is, or is another one (see :meth:`WeightFile.find`).
        """
        try:
            import pytorch_fid.inception
        except ImportError as error:
            raise InputError("FID: pytorch-fid is not installed: pip install 'seqdis-eval[fid]'") from error
        library: Any = pytorch_fid.inception  # an extra: types must be the same with and without it
        file = WEIGHTS.find(path)
        try:
            with _downloading_nothing(library, read_state_dict(file)):
                network = library.InceptionV3()
        except RuntimeError as error:
            raise InputError(
                f"{file}: its tensors are not Inception's: {str(error).splitlines()[-1].strip()}"
            ) from error
        return cls(network, device=device)

    @torch.no_grad()
    def __call__(self, frames: Tensor) -> Tensor:
        """Like the method that it implements; see :class:`~seqdis.eval.features.networks.FrameFeatures`."""
        x = (frames.to(self._device).clamp(0, 1) * 255).round() / 255
        features: Tensor = self._network(x)[0]
        return features.flatten(1).cpu()
