"""The part of ``make.py`` that records what the methods do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from make_calls import (
    CONV,
    DECONV,
    KARRAS,
    MLP,
    PAIR,
    SAMPLER,
    UNET,
    B,
    V,
    analyses,
    configuration,
    gaps,
    losses,
    own_prior,
    samplers,
    sequences,
    swaps,
    train,
    whole,
)
from maker import Maker


def diffsda_values(backbone: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "static_dim": 5, "dynamic_dim": 2, "hidden_dim": 8, "encoder": backbone, "denoiser": backbone,
        "sampler": SAMPLER, **changes,
    }  # fmt: skip


def diffsda_variants(maker: Maker) -> None:
    for name, change in {
        "frames_per_clip": {"model.frames_per_clip": 3},
        "noise_repeats": {"model.noise_repeats": 2},
        "noise_repeats_sequence": {"model.noise_repeats": 2, "model.sigma_per": "sequence"},
        "sigma_per_sequence": {"model.sigma_per": "sequence"},
        "sigma_per_frame": {"model.sigma_per": "frame"},
        "condition_dropout": {"model.condition_dropout": 0.4},
        "no_dropout": {"model.condition_dropout": 0.0},
        "all": {
            "model.frames_per_clip": 4, "model.noise_repeats": 3, "model.sigma_per": "sequence",
            "model.condition_dropout": 0.3, "model.p_mean": -1.0,
        },
    }.items():  # fmt: skip
        losses(maker, f"loss_{name}", config=change)


def diffsda() -> Maker:
    model = diffsda_values(UNET, memory=4, condition_dropout=0.2)
    maker = Maker(configuration("video", "diffsda", model))
    whole(maker, "video", inverts=True)
    samplers(maker, {
        "ddim": {"kind": "ddim"}, "dpmpp": {"kind": "dpmpp"}, "guided": {"guidance": 1.5}, "guided_interval": {"guidance": 2.0, "guidance_interval": [0.1, 20]},
    })  # fmt: skip
    for kind in ("ddim", "dpmpp"):
        maker.add(f"invert_{kind}", "invert", "x", sampler={**SAMPLER, "kind": kind})
    maker.add("invert_corrected", "invert", "x", sampler={**SAMPLER, "kind": "ddim", "corrections": 2})
    maker.add("encode_passes", "encode", "x", config={"model.max_frames_per_pass": 4})
    diffsda_variants(maker)
    analyses(maker)
    gaps(maker, "video", inverts=True)
    train(maker)
    return maker


def diffsda_two_way() -> Maker:
    """Bidirectional, one static factor a step."""
    model = diffsda_values(UNET, causal=False, shared_static=False, sigma_per="sequence", frames_per_clip=3)
    maker = Maker(configuration("video", "diffsda", model))
    whole(maker, "video", inverts=True, brief=True)
    return maker


def diffsda_bidirectional() -> Maker:
    """Bidirectional, with the static factor of both end states."""
    maker = Maker(configuration("timeseries", "diffsda", diffsda_values(MLP, causal=False)))
    whole(maker, "timeseries", inverts=True)
    gaps(maker, "timeseries", inverts=True)
    return maker


def diffsda_series() -> Maker:
    model = diffsda_values(MLP, memory=5, condition_dropout=0.1)
    maker = Maker(configuration("timeseries", "diffsda", model))
    whole(maker, "timeseries", inverts=True)
    samplers(maker, KARRAS)
    diffsda_variants(maker)
    gaps(maker, "timeseries", inverts=True)
    for name, change in {
        "frames_per_clip": {"model.frames_per_clip": 3}, "noise_repeats": {"model.noise_repeats": 2}
    }.items():  # fmt: skip
        inputs = {"x": "in/gaps/x", "mask": "in/gaps/mask", "observed": "in/gaps/observed"}
        losses(maker, f"loss_gaps_{name}", inputs, config=change, gaps=True)  # type: ignore[arg-type]
    train(maker)
    return maker


def diffsda_audio() -> Maker:
    maker = Maker(configuration("audio", "diffsda", diffsda_values(MLP)))
    whole(maker, "audio", inverts=True)
    train(maker)
    return maker


def s3vae_values(encoder: Mapping[str, Any], output: str, **changes: Any) -> dict[str, Any]:
    return {
        "static_dim": 5, "dynamic_dim": 3, "features": 8, "hidden_dim": 8, "encoder": encoder,
        "decoder": DECONV if encoder is CONV else encoder, "output": output, "consistency_weight": 10.0, "prediction_weight": 3.0,
        "prediction": {"target": "goal", "width": 4, "loss": "cross_entropy", "hidden": 8}, **changes,
    }  # fmt: skip


def s3vae(modality: str, encoder: Mapping[str, Any], output: str, **changes: Any) -> Maker:
    maker = Maker(configuration(modality, "s3vae", s3vae_values(encoder, output, **changes)))
    cells = torch.eye(4)[torch.arange(B * V).view(B, V) % 4]
    maker.put("targets", {"goal": cells})
    maker.put("x", sequences(modality))
    base = {"x": "in/x", "targets": "in/targets"}
    maker.add("encode", "encode", "x")
    maker.add("decode", "decode", {"factors": "out/encode"}, seed=5)
    swaps(maker, modality)
    losses(maker, "loss", base)  # type: ignore[arg-type]
    losses(maker, "loss_shared_keys", base, keys=["a", "b", "a"])  # type: ignore[arg-type]
    for kind in ("binary", "squared"):
        losses(maker, f"loss_{kind}", base, config={"model.prediction.loss": kind})  # type: ignore[arg-type]
    for weight in ("consistency_weight", "information_weight"):
        losses(maker, f"loss_no_{weight}", base, config={f"model.{weight}": 0.0})  # type: ignore[arg-type]
    own_prior(maker)
    gaps(maker, modality, inverts=False)
    return maker


def s3vae_video() -> Maker:
    maker = s3vae("video", CONV, "sigmoid")
    analyses(maker)
    return maker


def s3vae_series() -> Maker:
    return s3vae("timeseries", MLP, "linear", layer_norm=True)


def s3vae_audio() -> Maker:
    """Without anything to predict, so that the trainer needs no targets."""
    values = s3vae_values(MLP, "linear", prediction=None, prediction_weight=0.0)
    maker = Maker(configuration("audio", "s3vae", values))
    whole(maker, "audio", inverts=False)
    own_prior(maker)
    train(maker)
    return maker


def s3vae_trained() -> Maker:
    values = s3vae_values(CONV, "linear", prediction=None, prediction_weight=0.0)
    maker = Maker(configuration("video", "s3vae", values))
    whole(maker, "video", inverts=False, brief=True)
    train(maker)
    return maker


def divid_values(**changes: Any) -> dict[str, Any]:
    return {
        "static_dim": 6, "dynamic_dim": 4, "feature_dim": 8, "hidden_dim": 8, "attention_dim": 8,
        "attention_heads": 2, "token_dim": 6, "timesteps": 40, "encoder": UNET, "denoiser": UNET,
        "sampler": {"kind": "ddim", "levels": "chain", "steps": 4}, **changes,
    }  # fmt: skip


CHAIN: dict[str, dict[str, Any]] = {
    "ddpm": {"kind": "ddpm", "levels": "chain"},
    "dpmpp": {"kind": "dpmpp", "levels": "chain"},
    "edm": {"kind": "edm", "levels": "chain"},
    "linspace": {"kind": "ddim", "levels": "chain", "spacing": "linspace"},
    "karras": {"kind": "edm"},
}


def divid() -> Maker:
    maker = Maker(configuration("video", "divid", divid_values()))
    whole(maker, "video", inverts=False)
    samplers(maker, CHAIN)
    for name, change in {
        "velocity": {"model.loss_on": "velocity"},
        "predicts_velocity": {"model.prediction": "velocity"},
        "both_velocity": {"model.prediction": "velocity", "model.loss_on": "velocity"},
        "cosine": {"model.beta_schedule": "cosine"},
        "own_noise": {"model.shared_noise": False},
        "no_orthogonality": {"model.orthogonality": 0.0},
        "frames_per_clip": {"model.frames_per_clip": 3},
    }.items():
        losses(maker, f"loss_{name}", config=change)
    velocity = {"model.prediction": "velocity", "model.shared_noise": False}
    maker.add("decode_velocity", "decode", {"factors": "out/encode"}, config=velocity, seed=5)
    maker.add("curves", "curves", "x", seed=17)
    analyses(maker)
    gaps(maker, "video", inverts=False)
    lent = {"x": "in/gaps/x", "mask": "in/gaps/mask", "observed": "in/gaps/observed"}
    maker.add("curves_gaps", "curves", lent, gaps=True, seed=17)
    train(maker)
    return maker


def divid_plain() -> Maker:
    """Without cross-attention and without the first frame's residual."""
    maker = Maker(
        configuration("video", "divid", divid_values(cross_attention=False, first_frame_residual=False))
    )
    whole(maker, "video", inverts=False, brief=True)
    maker.add("curves", "curves", "x", seed=17)
    return maker


def vdsm_values(**changes: Any) -> dict[str, Any]:
    return {
        "static_dim": 4, "action_dim": 3, "pose_dim": 3, "encoder_channels": [6, 8], "decoder_channels": [6],
        "features": 10, "recurrent": 6, "transition": 8, "likelihood": "bernoulli", **changes,
    }  # fmt: skip


def vdsm(**changes: Any) -> Maker:
    maker = Maker(configuration("video", "vdsm", vdsm_values(**changes)))
    whole(maker, "video", inverts=False)
    gaussian = {"model.likelihood": "gaussian", "model.observation_std": 0.2}
    moved = {"temperature": 0.6, "kl_static_weight": 0.3, "kl_action_weight": 0.2, "kl_pose_weight": 0.1}
    losses(maker, "loss_gaussian", config=gaussian)
    losses(maker, "loss_scheduled", scheduled=moved)
    maker.add("decode_gaussian", "decode", {"factors": "out/encode"}, config=gaussian, seed=5)
    maker.add("encode_frames", "encode_stage", "x", stage="frames")
    maker.put("targets", {"individual": sequences("video", seed=18)})
    for name, config in {"": {}, "_gaussian": gaussian}.items():
        losses(maker, f"loss_frames{name}", config=config, stage="frames")
    losses(maker, "loss_frames_individual", "x targets", stage="frames")
    lent = {"factors": "out/encode", "other": "out/encode_other"}
    maker.add("mix_action", "mix_extra", lent, name="action")
    maker.add("mix_action_drawn", "mix_extra", lent, name="action", seed=19)
    maker.add("swap_action", "swap", "x other", extra="action", seed=5)
    maker.add("swap_pairs_action", "pairs", PAIR, extra="action", seed=6)
    own_prior(maker)
    analyses(maker)
    gaps(maker, "video", inverts=False, entries=False)
    stages = [{"name": "frames", "steps": 1, "frozen": ["sequence"]}, {
        "name": "sequences", "steps": 2, "rates": {"encoder": 0.5}, "frozen": ["frame_pose"],
        "ramps": {"temperature": {"start": 1.0, "end": 0.5}, "kl_pose_weight": {"start": 0.1, "end": 1.0}},
    }]  # fmt: skip
    train(maker, train__stages=stages, train__steps=None)
    return maker


def vdsm_blind() -> Maker:
    """The LSTM that infers poses does not read the frames."""
    maker = Maker(configuration("video", "vdsm", vdsm_values(evidence=False, likelihood="gaussian")))
    whole(maker, "video", inverts=False, brief=True)
    return maker


def bcd_values(**changes: Any) -> dict[str, Any]:
    return {
        "encoder": {"width": 12, "feedforward": 16, "depth": 2, "heads": 2, "queries": 2},
        "decoder": {"patch": 4, "width": 12, "depth": 2, "heads": 2, "feedforward": 2, "temporal": [0]},
        "groups": 2, "codes": 5, "code_dim": 4, "target_bits": 3.0, "fps": 10.0,
        "sampler": {**SAMPLER, "guidance": 1.5}, **changes,
    }  # fmt: skip


BCD_SCALE = {"to_motion.weight": 4.0}
"""So that codes differ from frame to frame."""


def bcd() -> Maker:
    maker = Maker(configuration("video", "bcd", bcd_values()), scale=BCD_SCALE)
    whole(maker, "video", inverts=False)
    samplers(
        maker, {k: {**KARRAS[k], "guidance": 1.5} for k in ("edm_churn", "ddim", "dpmpp")} | {"unguided": {}}
    )
    for name, change in {
        "not_cross_driven": {"model.cross_driven": False},
        "relaxed": {"model.relaxed": True},
        "no_target": {"model.target_bits": None},
        "window": {"model.window": 3},
        "distance_scale": {"model.distance_scale": 2.0},
        "no_dropout": {"model.condition_dropout": 0.0, "model.sampler.guidance": 1.0},
    }.items():
        losses(maker, f"loss_{name}", config=change)
    for stage in ("spatial", "temporal"):
        losses(maker, f"loss_{stage}", stage=stage)
    losses(maker, "loss_temperature", scheduled={"temperature": 0.4})
    for name, change in {
        "window": {"model.window": 4}, "content_frames": {"model.content_frames": 2},
    }.items():  # fmt: skip
        maker.add(f"encode_{name}", "encode", "x", config=change)
        maker.add(f"decode_{name}", "decode", {"factors": "out/encode"}, config=change, seed=5)
    for coding in ("fixed", "entropy", "auto"):
        maker.add(f"stream_{coding}", "stream", {"factors": "out/encode"}, coding=coding, fps=10.0)
    analyses(maker)
    train(maker, model__rate_memory=0.5, model__revive=0)
    return maker


MODELS = {
    "diffsda": diffsda, "diffsda_two_way": diffsda_two_way, "diffsda_bidirectional": diffsda_bidirectional,
    "diffsda_series": diffsda_series, "diffsda_audio": diffsda_audio,
    "s3vae": s3vae_video, "s3vae_series": s3vae_series, "s3vae_audio": s3vae_audio, "s3vae_trained": s3vae_trained,
    "divid": divid, "divid_plain": divid_plain, "vdsm": vdsm, "vdsm_blind": vdsm_blind, "bcd": bcd,
}  # fmt: skip
