"""Networks that come as TorchScript: I3D for FVD, and any embedder or detector of one's own."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.limits import check_claim
from seqdis.core.reading import readable
from seqdis.eval.features.weights import WeightFile

__all__ = ["I3D", "I3D_FILE", "ScriptedIdentity", "ScriptedKeypoints", "call_script", "load_script"]

I3D_FILE = WeightFile(
    "i3d_torchscript.pt",
    "I3D (FVD)",
    "https://github.com/universome/stylegan-v (src/metrics/frechet_video_distance.py)",
)


def load_script(path: Path, device: torch.device | str = "cpu") -> Callable[..., Any]:
    """A TorchScript module in evaluation mode.

    A script is a program and must be trusted; that it came whole is seen by the checksums of its parts, before torch,
    which does not look at all of them, is given it.

    Raises:
        InputError: The file is missing, damaged or no TorchScript, or a weight is not finite.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; a TorchScript module is needed")
    with readable(path, "TorchScript"):
        _check_whole(path)
        module = torch.jit.load(str(path), map_location=device)
    for name, value in module.named_parameters():  # a buffer may be a mask of -Inf
        check_finite(value, f"{path}: {name}")
    module.eval()
    return module


def _check_whole(path: Path) -> None:
    """Refuse an archive of which a part does not have its checksum, or that claims more than its size makes likely."""
    with zipfile.ZipFile(path) as archive:
        claimed = sum(part.file_size for part in archive.infolist())
        check_claim(path, claimed, path.stat().st_size, what="bytes unpacked")
        damaged = archive.testzip()
        if damaged is not None:
            raise InputError(f"{path}: cannot be read as TorchScript: {damaged} in it is damaged")


@torch.no_grad()
def call_script(what: str, path: Path, call: Callable[[], Any]) -> Any:
    """Whatever a script returns; a script is a program, and may throw anything.

    Args:
        what: Purpose of the script, in words.
        path: Path of the script, for the message.
        call: Function that calls it.

    Raises:
        InputError: The script fails.
    """
    try:
        return call()
    except Exception as error:
        last = (str(error).strip().splitlines() or [type(error).__name__])[-1]
        raise InputError(f"{path}: {what}: {last}") from error


def _called(
    what: str, path: Path, call: Callable[[], Any], shape: tuple[int | None, ...], *, misses: bool = True
) -> Tensor:
    """The numbers that a script returns, checked; None in ``shape`` stands for any size.

    Args:
        what: Purpose of the script, in words.
        path: Path of the script, for the message.
        call: Function that calls it.
        shape: The shape that it must return.
        misses: Whether NaN says that nothing was found.
    """
    result = call_script(what, path, call)
    received = tuple(result.shape) if isinstance(result, Tensor) else (type(result).__name__,)
    fits = len(received) == len(shape) and all(
        b is None or a == b for a, b in zip(received, shape, strict=True)
    )
    if not fits or result.is_complex():
        wanted = ", ".join("*" if size is None else str(size) for size in shape)
        kind = "complex numbers " if fits else ""
        raise InputError(f"{path}: {what} returned {kind}{received}; allowed: ({wanted})")
    numbers: Tensor = result.float().cpu()
    check_finite(numbers.masked_fill(numbers.isnan(), 0) if misses else numbers, f"{path}: {what}")
    return numbers


class I3D:
    """Logits of an inflated Inception (Carreira & Zisserman 2017) before the softmax, which FVD compares.

    Clips are scaled to [-1, 1], their smaller side to 224 pixels bilinearly, and cut in the middle; the script is
    called with ``rescale=False, resize=False, return_features=True``, as StyleGAN-V does (Skorokhodov et al. 2022).

    Args:
        path: The script; see :class:`WeightFile` for where it is looked for when omitted.
        device: Device on which it runs.

    Raises:
        InputError: The file is missing or no TorchScript.
    """

    name = "I3D, Kinetics-400 (i3d_torchscript.pt)"
    shortest = 10
    side = 224

    def __init__(self, path: Path | None = None, *, device: torch.device | str = "cpu") -> None:
        self._path, self._device = I3D_FILE.find(path), device
        self._network = load_script(self._path, device)

    def __call__(self, clips: Tensor) -> Tensor:
        """Like the method that it implements; see :class:`~seqdis.eval.features.networks.ClipFeatures`.

        Raises:
            InputError: The clips are too short: I3D halves time three times and then pools two steps.
        """
        count, steps, _, height, width = clips.shape
        if steps < self.shortest:
            raise InputError(f"I3D (FVD) takes clips of {self.shortest} frames or more; got {steps}")
        scale = self.side / min(height, width)
        size = tuple(max(self.side, round(scale * x)) for x in (height, width))
        x = F.interpolate(clips.clamp(0, 1).flatten(0, 1), size=size, mode="bilinear", align_corners=False)
        top, left = ((length - self.side) // 2 for length in size)
        x = x[:, :, top : top + self.side, left : left + self.side].unflatten(0, (count, steps))
        x = (2 * x - 1).transpose(1, 2).contiguous().to(self._device)
        return _called(
            "I3D",
            self._path,
            lambda: self._network(x, rescale=False, resize=False, return_features=True),
            (count, None),
            misses=False,
        )


class ScriptedIdentity:
    """An identity network of one's own: ``(N, 3, H, W)`` in [0, 1] to ``(N, F)``, NaN where nobody is found.

    Args:
        path: Path of the script.
        squared: Whether distances are squared, as in :class:`~seqdis.eval.features.networks.Identity`.
        device: Device on which it runs.

    Raises:
        InputError: The file is missing or no TorchScript.
    """

    threshold = None

    def __init__(self, path: Path, *, squared: bool = False, device: torch.device | str = "cpu") -> None:
        self.name, self.squared = path.name, squared
        self._path, self._device, self._network = path, device, load_script(path, device)

    def __call__(self, frames: Tensor) -> Tensor:
        """Like the method that it implements; see :class:`~seqdis.eval.features.networks.Identity`."""
        x = frames.to(self._device)
        return _called("identity", self._path, lambda: self._network(x), (len(frames), None))


class ScriptedKeypoints:
    """A keypoint detector of one's own: ``(N, 3, H, W)`` in [0, 1] to ``(N, K, 2)`` in pixels, NaN where it fails.

    Args:
        path: Path of the script.
        device: Device on which it runs.

    Raises:
        InputError: The file is missing or no TorchScript.
    """

    def __init__(self, path: Path, *, device: torch.device | str = "cpu") -> None:
        self.name = path.name
        self._path, self._device, self._network = path, device, load_script(path, device)

    def __call__(self, frames: Tensor) -> Tensor:
        """Like the method that it implements; see :class:`~seqdis.eval.features.networks.Keypoints`."""
        x = frames.to(self._device)
        return _called("keypoints", self._path, lambda: self._network(x), (len(frames), None, 2))
