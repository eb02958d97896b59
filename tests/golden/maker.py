"""The part of ``make.py`` that makes records and writes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import adapter
import records
import torch
from safetensors.torch import save_file
from torch import Tensor


class Maker:
    """Collects what goes into one pair of files."""

    def __init__(self, config: Mapping[str, Any] | None, *, scale: Mapping[str, float] | None = None) -> None:
        self.golden = records.Golden({"config": config, "records": [], "expected": {}}, {})
        if config is None:
            return
        torch.manual_seed(1)
        model = adapter.build(config)
        self.golden.about["config"] = adapter.run_config(config).model_dump(mode="json")
        generator = torch.Generator().manual_seed(2)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
            for layer in model.modules():
                bias = getattr(layer, "bias", None)
                if isinstance(bias, Tensor) and not bool(bias.any()):
                    raise ValueError("a bias is still zero")
            for name, factor in (scale or {}).items():
                model.get_parameter(name).mul_(factor)
            model.normalizer.mean += 0.3
            model.normalizer.std.mul_(0.7)
        for name, value in adapter.state_of(model).items():
            self.golden.tensors[f"weights/{name}"] = value.detach().clone().contiguous()

    def put(self, name: str, value: Any) -> None:
        for path, leaf in records.flatten(value, f"in/{name}"):
            self.golden.tensors[path] = leaf.detach().clone().contiguous()

    def add(
        self,
        record_id: str,
        call: str,
        inputs: Mapping[str, str] | str = "",
        *,
        config: Mapping[str, Any] | None = None,
        gaps: bool = False,
        may_change: bool = False,
        tolerance: float = records.TOLERANCE,
        **arguments: Any,
    ) -> None:
        """Make a record; inputs are ``x mask`` for ``in/x`` and ``in/mask``, or paths by name."""
        paths = {n: f"in/{n}" for n in inputs.split()} if isinstance(inputs, str) else dict(inputs)
        record = {
            "id": record_id, "call": call, "inputs": paths, "arguments": arguments, "config": dict(config or {}),
            "gaps": gaps, "may_change": may_change, "tolerance": tolerance,
        }  # fmt: skip
        self.golden.about["records"].append(record)
        numbers = {}
        for path, leaf in records.flatten(records.run(self.golden, json.loads(json.dumps(record)))):
            if isinstance(leaf, Tensor):
                if leaf.is_floating_point() and path != "noise" and not bool(leaf.isfinite().all()):
                    print("  not finite:", record_id, path)
                self.golden.tensors[f"out/{record_id}/{path}"] = leaf.detach().clone().contiguous()
            else:
                numbers[path] = leaf
        if numbers:
            self.golden.about["expected"][record_id] = numbers

    def write(self, name: str) -> None:
        records.DATA.mkdir(exist_ok=True)
        save_file(self.golden.tensors, records.DATA / f"{name}.safetensors")
        text = json.dumps(self.golden.about, indent=1)
        (records.DATA / f"{name}.json").write_text(text + "\n", encoding="utf-8")
