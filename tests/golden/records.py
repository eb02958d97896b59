"""Records of calls: how one is kept in files, run again through the adapter, and compared."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import adapter
import adapter_eval
from safetensors.torch import load_file
from torch import Tensor

DATA = Path(__file__).with_name("data")
TOLERANCE = 1e-6
"""A number may differ by ``TOLERANCE·(1 + |expected|)``, one of a tensor by ``TOLERANCE·(1 + max |expected|)``."""


@dataclass(frozen=True)
class Golden:
    """What one pair of files holds.

    Attributes:
        about: The JSON: ``config`` (the run's, or None), ``records``, ``expected`` (numbers and text by record).
        tensors: ``weights/…``, ``in/…`` (inputs), ``out/<record>/…``, by path.
    """

    about: dict[str, Any]
    tensors: dict[str, Tensor]

    @classmethod
    def load(cls, name: str) -> Golden:
        about = json.loads((DATA / f"{name}.json").read_text(encoding="utf-8"))
        return cls(about, load_file(DATA / f"{name}.safetensors"))

    def record(self, record_id: str) -> dict[str, Any]:
        return next(record for record in self.about["records"] if record["id"] == record_id)


def gather(tensors: Mapping[str, Tensor], path: str) -> Any:
    """The tensor of a path, or the nested dictionary of all below it."""
    if path in tensors:
        return tensors[path].clone()
    found: dict[str, Any] = {}
    for name in sorted(tensors):  # as a file gives them back: draws may follow the order of labels
        value = tensors[name]
        if name.startswith(f"{path}/"):
            *folders, last = name.removeprefix(f"{path}/").split("/")
            place = found
            for folder in folders:
                place = place.setdefault(folder, {})
            place[last] = value.clone()
    if not found:
        raise KeyError(path)
    return found


def weights_of(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix("weights/"): v.clone() for k, v in tensors.items() if k.startswith("weights/")}


def changed(config: Mapping[str, Any], overrides: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with other values at some paths, such as ``model.causal``."""
    values = copy.deepcopy(dict(config))
    for path, value in overrides.items():
        *folders, last = path.split(".")
        place = values
        for folder in folders:
            place = place[folder]
        place[last] = value
    return values


def run(golden: Golden, record: Mapping[str, Any]) -> dict[str, Any]:
    """Do again what a record says."""
    inputs = {name: gather(golden.tensors, path) for name, path in record["inputs"].items()}
    part = adapter if hasattr(adapter, record["call"]) else adapter_eval
    call, arguments = getattr(part, record["call"]), record["arguments"]
    if golden.about["config"] is None:
        return call(inputs, **arguments)
    config = changed(golden.about["config"], record["config"])
    state = weights_of(golden.tensors)
    if record["call"] == "train":
        return call(config, state, inputs, **arguments)
    return call(adapter.build(config, state), inputs, **arguments)


def flatten(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves of nested dictionaries and lists, with their paths."""
    if isinstance(value, Mapping):
        for name, part in value.items():
            yield from flatten(part, f"{path}/{name}" if path else str(name))
    elif isinstance(value, list | tuple):
        for index, part in enumerate(value):
            yield from flatten(part, f"{path}/{index}")
    else:
        yield path, value


def expected_of(golden: Golden, record_id: str) -> dict[str, Any]:
    """All that a record recorded, by path."""
    prefix = f"out/{record_id}/"
    found = {k.removeprefix(prefix): v for k, v in golden.tensors.items() if k.startswith(prefix)}
    return {**found, **golden.about["expected"].get(record_id, {})}


def differences(expected: Mapping[str, Any], found: Mapping[str, Any], tolerance: float) -> list[str]:
    """What differs, a line each; empty where all agrees."""
    lines = [f"{name}: is missing now" for name in expected.keys() - found.keys()]
    lines += [f"{name}: was not there before" for name in found.keys() - expected.keys()]
    for name in sorted(expected.keys() & found.keys()):
        was, now = expected[name], found[name]
        if isinstance(was, Tensor):
            if not isinstance(now, Tensor) or was.shape != now.shape:
                lines.append(f"{name}: {tuple(was.shape)} before, {getattr(now, 'shape', now)} now")
                continue
            first, second = was.double(), now.detach().double()
            gap = (first.nan_to_num(1e30) - second.nan_to_num(1e30)).abs().max().item()
            scale = 1 + first.nan_to_num(0).abs().max().item()
        elif isinstance(was, float) and isinstance(now, int | float) and not isinstance(now, bool):
            gap, scale = abs(was - now), 1 + abs(was)
            if math.isnan(was) and math.isnan(now):
                continue
        else:
            if was != now or isinstance(was, bool) != isinstance(now, bool):
                lines.append(f"{name}: {was!r} before, {now!r} now")
            continue
        if not gap <= tolerance * scale:
            lines.append(f"{name}: differs by {gap:.3g}; allowed: {tolerance * scale:.3g}")
    return lines
