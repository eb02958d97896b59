"""Weight files of feature networks: where they are looked for, and how they are read."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from seqdis.core.cache import cache_root
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.loaded_weights import fitting_weights
from seqdis.core.reading import readable

__all__ = ["WeightFile", "load_weights", "read_state_dict", "weight_folders"]


@dataclass(frozen=True)
class WeightFile:
    """A file of weights that others publish; nothing here fetches it.

    Attributes:
        name: Name of the file.
        network: Description of the network in words.
        source: Address to get the weights from.
        sha256: The beginning of its SHA-256, as far as it was published (torch.hub writes it into the name).
    """

    name: str
    network: str
    source: str
    sha256: str = ""

    def find(self, given: Path | None = None) -> Path:
        """The file itself, its checksum compared.

        Args:
            given: Path that an option gives; else :func:`weight_folders` are looked through.

        Raises:
            InputError: The file is missing (the message says where it was looked for and where to get it), or is another one.
        """
        files = [given] if given is not None else [folder / self.name for folder in weight_folders()]
        existing = next((file for file in files if file.is_file()), None)
        if existing is None:
            proof = f", SHA-256 {self.sha256}…" if self.sha256 else ""
            raise InputError(
                f"{self.network}: no weights {self.name}{proof}; looked for {', '.join(map(str, files))}; "
                f"get it from {self.source}"
            )
        if self.sha256:
            with existing.open("rb") as file:
                received = hashlib.file_digest(file, "sha256").hexdigest()
            if not received.startswith(self.sha256):
                raise InputError(
                    f"{existing}: SHA-256 {received[: len(self.sha256)]}…; {self.network} needs {self.sha256}…"
                )
        return existing


def weight_folders() -> list[Path]:
    """Folders in which weights are looked for: ``SEQDIS_CACHE/hub/checkpoints``, then torch.hub's own folder."""
    return [cache_root() / "hub" / "checkpoints", Path(torch.hub.get_dir()) / "checkpoints"]


def read_state_dict(path: Path) -> Mapping[str, Tensor]:
    """Tensors by name from a ``.pth`` file, by torch's reader that builds tensors and nothing else.

    Raises:
        InputError: The file cannot be read so, holds something else or claims more than its size, or a tensor is of a
            type that is neither floating nor a count, or not finite.
    """
    with readable(path, "weights"):
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as parts:
                _check_bytes(path, sum(part.file_size for part in parts.infolist()))
        # These files exist in this form only. `weights_only` refuses every other object than tensors.
        state = torch.load(path, map_location="cpu", weights_only=True)
        named = isinstance(state, Mapping) and all(isinstance(name, str) for name in state)
        if not named or not all(isinstance(value, Tensor) for value in state.values()):
            raise InputError(f"{path}: holds {type(state).__name__}; allowed: tensors by name")
        for name, value in state.items():
            _check_kind(value, f"{path}: {name}")
        storages = {
            value.untyped_storage().data_ptr(): value.untyped_storage().nbytes() for value in state.values()
        }
        _check_bytes(path, sum(storages.values()))
        for name, value in state.items():
            if value.is_floating_point():
                check_finite(value.float() if value.itemsize == 1 else value, f"{path}: {name}")
    return dict(state)


def load_weights(network: nn.Module, state: Mapping[str, Tensor], path: Path, *, what: str) -> None:
    """Give a network the weights of a file.

    Args:
        network: Network that takes the weights.
        state: Tensors that :func:`read_state_dict` gave, or some of them.
        path: The file, for the message.
        what: The network in words, for the message.

    Raises:
        InputError: A tensor is missing, too many, of another shape, or of a type that is not floating where it should be.
    """
    expected = network.state_dict()
    misfit = f"not the weights of {what}"
    network.load_state_dict(fitting_weights(state, expected, where=str(path), misfit=misfit))


def _check_kind(value: Tensor, name: str) -> None:
    """Refuse what is no weight: other types and layouts, and one number that stands for many."""
    kind = str(value.dtype).removeprefix("torch.")
    if value.layout != torch.strided or value.is_nested or value.device.type != "cpu" or value.is_quantized:
        raise InputError(
            f"{name}: is no plain tensor ({kind}, {value.layout}, {value.device}); allowed: plain ones"
        )
    if not (value.is_floating_point() or (value.dtype == torch.int64 and value.ndim == 0)):
        raise InputError(f"{name}: is {kind} {tuple(value.shape)}; allowed: a floating type, or one count")
    if value.numel() * value.itemsize > value.untyped_storage().nbytes():
        raise InputError(f"{name}: claims {value.numel()} values, more than the file holds")


def _check_bytes(path: Path, claimed: int) -> None:
    size = path.stat().st_size
    if claimed > size:
        raise InputError(
            f"{path}: claims {claimed} bytes of tensors in a file of {size}; allowed: weights as torch saves them"
        )
