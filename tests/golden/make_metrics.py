"""The part of ``make.py`` that records priors, metrics and protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import adapter
import torch
from maker import Maker
from torch import Tensor

CLASSES = {"level": 2, "tilt": 3, "path": 2}


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def classes(seed: int, count: int, names: Mapping[str, int] = CLASSES) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(seed)
    return {name: torch.randint(size, (count,), generator=g) for name, size in names.items()}


def flipped(labels: Mapping[str, Tensor], seed: int, share: float = 0.3) -> dict[str, Tensor]:
    """Some answers are wrong."""
    g = torch.Generator().manual_seed(seed)
    return {
        name: torch.where(torch.rand(value.shape, generator=g) < share, (value + 1) % CLASSES[name], value)
        for name, value in labels.items()
    }


def priors() -> Maker:
    maker = Maker(None)
    base = drawn(20, 20, 3)
    factors = {"static": base, "dynamic": 0.5 * base[:, None, :2] + 0.3 * drawn(21, 20, 5, 2)}
    maker.put("factors", factors)
    small = {"hidden": 12, "layers": 3, "timesteps": 40, "epochs": 3, "batch_size": 10, "lr": 3e-3, "steps": 4,
             "resamples": 2, "ema_decay": 0.9}  # fmt: skip
    book = drawn(22, 2, 5, 2)
    codes = torch.randint(5, (12, 6, 2), generator=torch.Generator().manual_seed(23))
    vectors = torch.cat([book[group][codes[..., group]] for group in range(2)], dim=2)
    maker.put("codebook", book)
    maker.put("coded", {"static": drawn(24, 12, 4), "dynamic": vectors, "extras": {"dynamic codes": codes}})
    tiny = {"width": 8, "depth": 1, "heads": 2, "epochs": 2, "batch_size": 6, "lr": 3e-3, "dropout": 0.0}
    cases = {
        "joint": ("latent_ddim", small, "factors"),
        "separate": ("latent_ddim", {**small, "dependent": False}, "factors"),
        "ddim": ("latent_ddim", {**small, "sampler": "ddim"}, "factors"),
        "codes": ("autoregressive", tiny, "coded"),
        "codes_top": ("autoregressive", {**tiny, "top_k": 3, "top_p": 0.8, "temperature": 0.7}, "coded"),
        "codes_uncached": ("autoregressive", {**tiny, "kv_cache": False, "contents": 5}, "coded"),
    }
    for name, (kind, options, which) in cases.items():
        inputs = {"factors": f"in/{which}", "weights": f"in/weights_{name}"}
        if kind == "autoregressive":
            inputs["codebook"] = "in/codebook"
        read = {k.removeprefix(f"in/{which}/"): v for k, v in maker.golden.tensors.items()}
        given = {k: read[k] for k in ("static", "dynamic")}
        if which == "coded":
            given["extras"] = {"dynamic codes": codes}
        prior = adapter.new_prior(kind, options, given, book if which == "coded" else None)
        generator = torch.Generator().manual_seed(25)
        with torch.no_grad():
            for parameter in prior.parameters():
                parameter += 0.05 * torch.randn(parameter.shape, generator=generator)
        for key, value in prior.state_dict().items():
            maker.golden.tensors[f"in/weights_{name}/{key}"] = value.detach().clone().contiguous()
        maker.add(name, "fit_prior", inputs, kind=kind, options=options, count=3, seed=26, tolerance=1e-5)
    return maker


def metrics() -> Maker:
    maker = Maker(None)

    def add(record_id: str, name: str, inputs: Mapping[str, Any], **options: Any) -> None:
        for key, value in inputs.items():
            maker.put(f"{record_id}/{key}", value)
        paths = {key: f"in/{record_id}/{key}" for key in inputs}
        maker.add(record_id, "metric", paths, name=name, **options)

    numbers = {"predicted": drawn(30, 40), "truth": drawn(31, 40), "train_truth": drawn(32, 50)}
    groups = torch.arange(40) // 4
    add("mae", "mae", numbers)
    add("mae_groups", "mae", {**numbers, "groups": groups})
    right = {
        "predicted": classes(33, 40)["tilt"],
        "truth": classes(34, 40)["tilt"],
        "train_truth": classes(35, 50)["tilt"],
    }
    add("accuracy", "accuracy", right)
    add("accuracy_groups", "accuracy", {**right, "groups": groups})
    found, expected = drawn(36, 6, 4, 5), drawn(37, 6, 4, 5)
    found[2, 1] = torch.nan
    points, there = 10 * drawn(38, 6, 4, 3, 2), 10 * drawn(39, 6, 4, 3, 2)
    points[1, 2] = torch.nan
    for published in (False, True):
        end = "_published" if published else ""
        add(
            f"aed{end}", "aed", {"found": found, "expected": expected}, published=published, squared=published
        )
        add(f"akd{end}", "akd", {"found": points, "expected": there}, published=published)
        add(f"verification_accuracy{end}", "verification_accuracy", {"found": found, "expected": expected},
            threshold=0.9, published=published)  # fmt: skip
    add("csim", "csim", {"found": found, "expected": expected})
    who = torch.arange(24) // 3
    voices = drawn(40, 8, 5)[who] + 0.8 * drawn(41, 24, 5)
    add("verification_threshold", "verification_threshold", {"embeddings": voices, "identities": who})
    add("speaker_eer", "speaker_eer", {"embeddings": voices, "speakers": who}, resamples=40)
    static, dynamic = voices, drawn(42, 24, 4)
    add("speaker_verification", "speaker_verification", {"static": static, "dynamic": dynamic, "speakers": who},
        resamples=40)  # fmt: skip
    add("equal_error_rate", "equal_error_rate", {"target": 1 + drawn(43, 30), "other": drawn(44, 50)})
    add("voice_similarity", "voice_similarity",
        {"made": drawn(45, 12, 5), "wanted": drawn(46, 12, 5), "other": drawn(47, 12, 5)})  # fmt: skip
    outcome = (drawn(48, 60) > 0.3).long()
    scores = {"scores": drawn(49, 60) + outcome, "truth": outcome}
    for name in ("auprc", "auroc"):
        add(name, name, scores, resamples=50)
    judged = classes(50, 30)
    add("consistency", "consistency", {"real": judged, "generated": flipped(judged, 51)})
    add("swap_metrics", "swap_metrics", {"predicted": flipped(judged, 52), "truth": judged})
    for name in ("inception_score", "inter_entropy", "intra_entropy"):
        add(name, name, {"probabilities": (2 * drawn(53, 30, 4)).softmax(1)}, resamples=50)
    add("judge_divergence", "judge_divergence",
        {"generated": drawn(54, 20, 4).softmax(1), "real": drawn(55, 20, 4).softmax(1)})  # fmt: skip
    train_labels, labels = classes(56, 60), classes(57, 40)

    def codes(given: Mapping[str, Tensor], seed: int) -> Tensor:
        noise = drawn(seed, len(given["level"]), 4)
        named = torch.stack([given["level"], given["tilt"], given["path"], given["level"]], dim=1)
        return named + 0.6 * noise

    both = {
        "train_codes": codes(train_labels, 58), "train_labels": train_labels, "codes": codes(labels, 59),
        "labels": labels,
    }  # fmt: skip
    add("dci", "dci", both, trees=8, resamples=20)
    add("sap", "sap", both, resamples=20)
    add("mig", "mig", {"codes": both["codes"], "labels": labels}, bins=5, resamples=20)
    sides = {
        "train_factors": {"static": codes(train_labels, 60), "dynamic": codes(train_labels, 61)[:, None, 1:]},
        "factors": {"static": codes(labels, 62), "dynamic": codes(labels, 63)[:, None, 1:]},
        "train_labels": train_labels, "labels": labels,
    }  # fmt: skip
    add("leakage", "leakage", sides)
    add("leakage_above_chance", "leakage", sides, above_chance=True)
    first, second = drawn(64, 30, 6), 0.5 + 1.5 * drawn(65, 28, 6)
    add("frechet_distance", "frechet_distance", {"first": first, "second": second})
    add("frechet_score", "frechet_score", {"first": first, "second": second}, rows=2, resamples=20)
    add(
        "frechet_score_wide",
        "frechet_score",
        {"first": drawn(66, 8, 12), "second": drawn(67, 8, 12)},
        resamples=10,
    )
    mask = torch.ones(5, 4, dtype=torch.bool)
    mask[1, 2:] = False
    observed = drawn(68, 5, 4, 3) > -0.5
    errors = {"x": drawn(69, 5, 4, 3), "guess": drawn(70, 5, 4, 3), "trivial": drawn(71, 3)}
    add("mse", "mse", errors)
    add("mse_gaps", "mse", {**errors, "mask": mask, "observed": observed})
    maker.golden.about["records"][-1]["gaps"] = True
    maker.add("token_error_rate", "metric", name="token_error_rate",
              truth=[[1, 2, 3, 4], [5, 1], [2, 2, 3]], guess=[[1, 3, 4, 4, 5], [5], [2, 2, 3]], constant=[2, 1])  # fmt: skip
    return maker


def world(count: int, seed: int, steps: int = 6) -> dict[str, Any]:
    """Sequences ``(N, V, 4)`` in which the fixed judge can read the labels."""
    labels = classes(seed, count)
    ramp = torch.linspace(-1, 1, steps) * (2.0 * labels["path"][:, None] - 1)
    x = 0.4 * drawn(seed + 1, count, steps, 4) - ramp[..., None] + (labels["level"] - 0.5)[:, None, None]
    x[:, :, 0] += (labels["tilt"] == 0)[:, None]
    x[:, :, 3] += (labels["tilt"] == 2)[:, None]
    return {"x": x, "labels": labels}


def protocols(config: Mapping[str, Any]) -> Maker:
    """On a tiny untrained S3VAE of vectors."""
    maker = Maker(config)
    for split, count in {"train": 36, "val": 12, "test": 24}.items():
        part = world(count, 80 + 10 * count)
        maker.put(split, part)
        maker.put(f"values/{split}", 10 + 5 * part["x"][..., 2].unflatten(1, (-1, 3)).mean(2))
    splits = {split: f"in/{split}" for split in ("train", "val", "test")}

    def add(record_id: str, name: str, **options: Any) -> None:
        inputs = {**splits, "values": "in/values"} if name == "quantity" else splits
        # What a head learnt in hundreds of steps carries their rounding.
        learns = name in ("classification", "outcome", "quantity")
        maker.add(record_id, "protocol", inputs, name=name, tolerance=1e-3 if learns else 1e-6, **options)

    for mode in ("corrected", "published"):
        add(f"leakage_{mode}", "leakage", mode=mode, score_clips=24 if mode == "corrected" else 0)
        add(f"consistency_{mode}", "consistency", mode=mode)
        add(f"reconstruction_{mode}", "reconstruction", mode=mode)
        add(f"classification_{mode}", "classification", labels=["level"], seeds=[0, 1], mode=mode)
        add(f"outcome_{mode}", "outcome", label="level", window=3, seeds=[0], mode=mode)
        add(f"quantity_{mode}", "quantity", window=3, seeds=[0], mode=mode)
    add("swap", "swap")
    add("swap_some", "swap", pairs=7, seed=2)
    add("generation", "generation")
    add("generation_some", "generation", clips=9, seed=1)
    add("reconstruction_some", "reconstruction", clips=5, seed=3)
    add("consistency_some", "consistency", clips=5, seed=3)
    add("traversal", "traversal", clips=6, points=3)
    add("speaker", "speaker", identity="tilt", resamples=20)
    return maker


def bitrate(
    config: Mapping[str, Any],
    scale: Mapping[str, float],
    sequences: Callable[..., Tensor],
) -> Maker:
    """On a tiny untrained BCD."""
    maker = Maker(config, scale=scale)
    for seed, split in enumerate(("train", "val", "test")):
        maker.put(split, {"x": sequences("video", 4, seed=90 + seed)})
    maker.add(
        "bitrate", "protocol", {split: f"in/{split}" for split in ("train", "val", "test")}, name="bitrate"
    )
    return maker
