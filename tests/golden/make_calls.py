"""The part of ``make.py`` that says what every method is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from maker import Maker
from torch import Tensor

B, V, SIDE = 3, 6, 8
UNET = {"kind": "unet", "channels": 8, "multipliers": [1, 1], "attention": [1], "blocks": 1}
MLP = {"kind": "mlp", "channels": 12, "multipliers": [1, 1]}
CONV = {"kind": "conv", "channels": 6, "multipliers": [1]}
DECONV = {"kind": "conv", "channels": 6, "multipliers": [1, 1]}
SAMPLER = {"steps": 4, "sigma_min": 0.02, "sigma_max": 8.0}
"""Between moderate levels: four steps between the usual ones would multiply what is rounded."""
TRAIN = {
    "steps": 3, "batch_size": 4, "lr": 1e-3, "warmup_steps": 2, "ema_decay": 0.9,
    "log_every": 1, "eval_every": 1000, "save_every": 1000,
}  # fmt: skip


def configuration(modality: str, method: str, model: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    frame = {"video": [3, SIDE, SIDE], "audio": [8], "timeseries": [4]}[modality]
    data = {"dataset": "folder", "length": V, "frame_shape": frame}
    if modality == "timeseries":
        data["normalize"] = "channel"
    return {
        "format": 1, "preset": f"golden-{method}", "modality": modality, "method": method,
        "data": {**data, **changes}, "model": dict(model), "train": TRAIN,
    }  # fmt: skip


def sequences(modality: str, count: int = B, steps: int = V, seed: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    if modality == "video":
        shade = torch.rand(count, steps, 3, 1, 1, generator=generator)  # tells frames apart
        return 0.4 * torch.rand(count, steps, 3, SIDE, SIDE, generator=generator) + 0.6 * shade
    size = 8 if modality == "audio" else 4
    return 0.5 + torch.randn(count, steps, size, generator=generator)


def whole(maker: Maker, modality: str, *, inverts: bool, brief: bool = False) -> None:
    """What every method does with sequences that miss nothing."""
    maker.put("x", sequences(modality))
    maker.add("encode", "encode", "x")
    maker.add("decode", "decode", {"factors": "out/encode"}, seed=5)
    losses(maker, "loss")
    if inverts:
        maker.add("invert", "invert", "x")
    if brief:
        return
    swaps(maker, modality)
    maker.add("encode_other", "encode", {"x": "in/other"})
    maker.add("decoded_part", "decoded_part", {"factors": "out/encode"})
    if inverts:
        maker.add("decode_inverted", "decode", {"factors": "out/encode", "noise": "out/invert/noise"}, seed=5)


def swaps(maker: Maker, modality: str) -> None:
    maker.put("other", sequences(modality, seed=4))
    maker.put("one", sequences(modality, 1, seed=10))
    maker.put("lender", sequences(modality, 1, seed=27))
    maker.add("reconstruct", "reconstruct", "x", seed=5)
    maker.add("swap", "swap", "x other", seed=5)
    maker.add("swap_pairs", "pairs", PAIR, seed=6)


PAIR = {"x": "in/one", "other": "in/lender"}


def losses(maker: Maker, name: str, inputs: str = "x", **settings: Any) -> None:
    for training in (True, False):
        mode = "training" if training else "evaluation"
        maker.add(f"{name}_{mode}", "loss", inputs, seed=8, training=training, **settings)


def train(maker: Maker, **config: Any) -> None:
    values = {k.replace("__", "."): v for k, v in config.items()}
    maker.put("many", sequences(maker.golden.about["config"]["modality"], 5, seed=7))
    # Gradients that are zero but for rounding move weights by Adam, and with them nothing else.
    maker.add("train", "train", {"x": "in/many", "probe": "in/x"}, config=values, seed=9, tolerance=1e-5)


def analyses(maker: Maker) -> None:
    maker.put("two", sequences("video", 2, seed=10))
    maker.add("swap_matrix", "swap_matrix", {"x": "in/two"}, seed=11)
    for factor in ("static", "dynamic"):
        maker.add(
            f"traverse_{factor}", "traversal", {"x": "in/one", "samples": "out/encode"},
            factor=factor, component=0, amounts=[0.0, 1.5], seed=12,
        )  # fmt: skip


def own_prior(maker: Maker) -> None:
    maker.add("prior", "own_prior", count=3, seed=13)
    maker.add("prior_longer", "own_prior", count=2, seed=13, steps=V + 3)
    for side in ("static", "dynamic"):
        maker.add(f"prior_{side}", "own_conditional", {"factors": "out/encode"}, side=side, seed=14)
        maker.add(f"drawn_{side}", "drawn_swap", "x", keep=side, count=2, seed=14)
    maker.add("generate", "generated", count=2, seed=15)


def gaps(maker: Maker, modality: str, *, inverts: bool, entries: bool = True) -> None:
    """Padding and entries that were not measured, with zeros there as datasets give them."""
    generator = torch.Generator().manual_seed(16)
    mask = torch.ones(B, V, dtype=torch.bool)
    mask[1, 4:] = False
    mask[2, 5:] = False
    for name in ("x",) if modality == "video" else ("x", "other"):
        x = maker.golden.tensors[f"in/{name}"]
        observed = torch.rand(x.shape, generator=generator) < 0.7
        seen = (observed if entries else torch.ones_like(observed)) & mask.view(B, V, *(1,) * (x.ndim - 2))
        prefix = "" if name == "x" else "other_"
        maker.put(f"gaps/{name}", torch.where(seen, x, 0.0))
        maker.put(f"gaps/{prefix}mask", mask)
        if entries:
            maker.put(f"gaps/{prefix}observed", seen)
    maker.put(
        "gaps/padded", torch.where(mask.view(B, V, *(1,) * (x.ndim - 2)), maker.golden.tensors["in/x"], 0.0)
    )
    kinds: dict[str, dict[str, str]] = {"padded": {"x": "in/gaps/padded", "mask": "in/gaps/mask"}}
    if entries:
        kinds["gaps"] = {"x": "in/gaps/x", "mask": "in/gaps/mask", "observed": "in/gaps/observed"}
    for kind, inputs in kinds.items():
        maker.add(f"encode_{kind}", "encode", inputs, gaps=True)
        with_targets = (
            {**inputs, "targets": "in/targets"} if "in/targets/goal" in maker.golden.tensors else inputs
        )
        losses(maker, f"loss_{kind}", with_targets, gaps=True)  # type: ignore[arg-type]
        maker.add(f"reconstruct_{kind}", "reconstruct", inputs, gaps=True, may_change=True, seed=5)
        if inverts:
            maker.add(f"invert_{kind}", "invert", inputs, gaps=True, may_change=True)
    if modality == "video":
        return
    lent = {
        "x": "in/gaps/x",
        "other": "in/gaps/other",
        "mask": "in/gaps/mask",
        "other_mask": "in/gaps/other_mask",
    }
    maker.add("swap_gaps", "swap", lent, gaps=True, may_change=True, seed=5)
    if entries:
        lent = {**lent, "observed": "in/gaps/observed", "other_observed": "in/gaps/other_observed"}
    maker.add("swap_pairs_gaps", "pairs", lent, gaps=True, may_change=True, seed=6)


def samplers(maker: Maker, kinds: Mapping[str, Mapping[str, Any]]) -> None:
    for name, sampler in kinds.items():
        maker.add(
            f"decode_{name}", "decode", {"factors": "out/encode"}, seed=5, sampler={**SAMPLER, **sampler}
        )


KARRAS: dict[str, dict[str, Any]] = {
    "edm_churn": {"kind": "edm", "s_churn": 2.0},
    "ddim": {"kind": "ddim"},
    "ddim_eta": {"kind": "ddim", "eta": 0.5},
    "dpmpp": {"kind": "dpmpp"},
    "unipc": {"kind": "unipc"},
    "ddpm": {"kind": "ddpm"},
}
