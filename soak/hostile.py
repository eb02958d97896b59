"""Folders of models that were made to do harm: pickles, code, links to elsewhere, weights that are no numbers."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from soak.children import start
from soak.commands import seqdis
from soak.kills import Chain

__all__ = ["HOSTILE", "Hostile", "load_hostile"]

_PATIENCE = 60.0
_DTYPES = ("int8", "int64", "uint8", "bool", "complex64", "float8_e4m3fn", "float16", "bfloat16", "float64")
_FLOATING = ("float8_e4m3fn", "float16", "bfloat16", "float64")


@dataclass(frozen=True)
class Hostile:
    """A way to spoil the folder of a model.

    Attributes:
        name: Name under which it is counted.
        spoil: Function that changes the folder; it gets the path of a file that must never be made.
        refused: Whether it must be refused; otherwise the result must be as good as any.
    """

    name: str
    spoil: Callable[[Path, Path, random.Random], None]
    refused: bool = True


def load_hostile(hostile: Hostile, seed: int, model: Path, data: Path, place: Path) -> Chain:
    """Encode by a spoilt model: no code runs, the end is a result of finite numbers or one line and exit code 2.

    Args:
        hostile: The way to spoil it.
        seed: Seed of what is drawn for it.
        model: Folder of a whole model, which is copied.
        data: Folder of files that the model encodes.
        place: Folder to work in.
    """
    chain, folder, canary = Chain(), place / "work" / "model", place / "canary"
    shutil.rmtree(place, ignore_errors=True)
    # Its checkpoints would be loaded where the model itself is no file.
    shutil.copytree(model, folder, ignore=shutil.ignore_patterns("checkpoints"))
    shutil.copytree(data, place / "work" / "data")
    hostile.spoil(folder, canary, random.Random(seed))
    words = ("encode", "model", "data", "--out", "result.npz", "--json")
    ended = start(lambda: seqdis(words), place / "output.txt", folder=place / "work").wait(_PATIENCE)
    chain.note(ended)
    chain.kills += ended.code == 2
    result = place / "work" / "result.npz"
    if canary.exists():
        chain.problems.append("code of the folder was run")
    if ended.timed_out:
        chain.problems.append(f"hangs: no end after {_PATIENCE:.0f} s")
    elif ended.traceback or ended.code not in (0, 2):
        chain.problems.append(f"exit code {ended.code}: {ended.error}")
    elif hostile.refused and ended.code != 2:
        chain.problems.append("is loaded and used; it must be refused")
    elif ended.code == 0 and not _is_finite(result):
        chain.problems.append("the factors hold values that are not finite, and the exit code is 0")
    elif ended.code == 2 and result.exists():
        chain.problems.append("it was refused, and there is a result")
    return chain


def _is_finite(path: Path) -> bool:
    with np.load(path, allow_pickle=False) as arrays:
        return all(np.isfinite(array).all() for array in arrays.values() if array.dtype.kind == "f")


class _Payload:
    """What makes a folder when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self.canary = str(canary)

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.canary,)


def _pickle_for_weights(folder: Path, canary: Path, draw: random.Random) -> None:
    if draw.random() < 0.5:
        torch.save({"weights": _Payload(canary)}, folder / "model.safetensors")
    else:
        (folder / "model.safetensors").write_bytes(pickle.dumps(_Payload(canary)))


def _pickles_beside(folder: Path, canary: Path, draw: random.Random) -> None:
    for name in (
        "pytorch_model.bin",
        "model.pt",
        "optimizer.pt",
        "training_args.bin",
        "model.pkl",
        "prior.pkl",
    ):
        (folder / name).write_bytes(pickle.dumps(_Payload(canary)))


def _code_beside(folder: Path, canary: Path, draw: random.Random) -> None:
    for name in ("__init__.py", "modeling.py", "sitecustomize.py", "torch.py", "config.py", "conftest.py"):
        for place in (folder, folder.parent):
            (place / name).write_text(f"import os\nos.mkdir({str(canary)!r})\n", encoding="utf-8")


def _edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    change(values)
    path.write_text(json.dumps(values), encoding="utf-8")


def _code_named(folder: Path, canary: Path, draw: random.Random) -> None:
    key = draw.choice(("method", "modality", "preset_module", "auto_map", "__class__"))
    value = draw.choice(
        ("os:system", "builtins.exec", "../../../model", "seqdis.core.cli.app:app", "model.modeling")
    )
    _edit(folder, lambda values: values.update({key: value}))


def _codec_elsewhere(folder: Path, canary: Path, draw: random.Random) -> None:
    codec = {
        "name": draw.choice(("linear", "autoencoder", "os.system")),
        "path": draw.choice(("/etc", "..", "/dev")),
    }
    _edit(folder, lambda values: values.update({"codec": codec}))


def _size_in_configuration(folder: Path, canary: Path, draw: random.Random) -> None:
    key, size = draw.choice(("static_dim", "dynamic_dim", "hidden_dim")), 10 ** draw.randint(5, 12)
    _edit(folder, lambda values: values["model"].update({key: size}))


def _link(target: str) -> Callable[[Path, Path, random.Random], None]:
    def spoil(folder: Path, canary: Path, draw: random.Random) -> None:
        path = folder / draw.choice(("model.safetensors", "config.json"))
        path.unlink()
        path.symlink_to(path.name if target == "itself" else target)

    return spoil


def _pipe(folder: Path, canary: Path, draw: random.Random) -> None:
    path = folder / draw.choice(("model.safetensors", "config.json"))
    path.unlink()
    os.mkfifo(path)


def _folder_for_file(folder: Path, canary: Path, draw: random.Random) -> None:
    path = folder / draw.choice(("model.safetensors", "config.json"))
    path.unlink()
    path.mkdir()


def _checkpoints_elsewhere(folder: Path, canary: Path, draw: random.Random) -> None:
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    (folder / "model.safetensors").unlink()
    (folder / "checkpoints").symlink_to(draw.choice(("/", "/proc", ".", "..")))


def _weights(change: Callable[[torch.Tensor, random.Random], torch.Tensor], names: str = "") -> Any:
    """A change of one tensor whose name holds a word."""

    def spoil(folder: Path, canary: Path, draw: random.Random) -> None:
        path = folder / "model.safetensors"
        tensors = load_file(path)
        floating = sorted(
            name for name, value in tensors.items() if names in name and value.is_floating_point()
        )
        name = draw.choice(floating)
        tensors[name] = change(tensors[name].clone(), draw)
        save_file(tensors, path)

    return spoil


def _put(value: float) -> Callable[[torch.Tensor, random.Random], torch.Tensor]:
    def change(tensor: torch.Tensor, draw: random.Random) -> torch.Tensor:
        tensor.view(-1)[draw.randrange(tensor.numel())] = value
        return tensor

    return change


def _claim_of_header(folder: Path, canary: Path, draw: random.Random) -> None:
    claim = draw.choice((2**63, 2**40, 2**31, 10**9))
    (folder / "model.safetensors").write_bytes(claim.to_bytes(8, "little") + b'{"a":{}}' * 10)


HOSTILE: tuple[Hostile, ...] = (
    Hostile("a pickle for weights", _pickle_for_weights),
    Hostile("pickles beside", _pickles_beside, refused=False),
    Hostile("code beside", _code_beside, refused=False),
    Hostile("code named in the configuration", _code_named),
    Hostile("a codec elsewhere", _codec_elsewhere),
    Hostile("a size in the configuration", _size_in_configuration),
    Hostile("a link to /etc/hostname", _link("/etc/hostname")),
    Hostile("a link to itself", _link("itself")),
    Hostile("a link to /dev/zero", _link("/dev/zero")),
    Hostile("a link to nothing", _link("/nonexistent/model")),
    Hostile("a pipe", _pipe),
    Hostile("a folder for a file", _folder_for_file),
    Hostile("checkpoints elsewhere", _checkpoints_elsewhere),
    Hostile("a claim of the header", _claim_of_header),
    Hostile("NaN weights", _weights(_put(float("nan")))),
    Hostile("infinite weights", _weights(_put(float("inf")))),
    Hostile("weights of 1e38", _weights(lambda tensor, draw: tensor * 0 + 1e38), refused=False),
    Hostile("a standard deviation of 0", _weights(lambda tensor, draw: tensor * 0, "normalizer.std")),
    Hostile("a negative standard deviation", _weights(lambda tensor, draw: -tensor, "normalizer.std")),
    Hostile("an infinite mean", _weights(_put(float("inf")), "normalizer.mean")),
    *(
        Hostile(
            f"weights of dtype {name}",
            _weights(lambda tensor, draw, kind=name: tensor.to(getattr(torch, kind))),
            refused=name not in _FLOATING,
        )
        for name in _DTYPES
    ),
)
"""Every way, by name."""
