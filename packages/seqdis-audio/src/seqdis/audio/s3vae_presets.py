"""Presets of S3VAE for audio: its TIMIT, and a small one for a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from seqdis.audio.options import AudioOptions
from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.s3vae.config import PredictionConfig, S3VAEConfig
from seqdis.core.nn.backbones import BackboneConfig

__all__ = ["S3VAE_PRESETS"]

_SPEECH = AudioOptions(frame_shift_ms=10.0)  # 20 steps of 200 ms in all (App. E)
_MUSIC = AudioOptions(frame_shift_ms=20.0, window_ms=64.0, n_fft=1024)


class _Row(NamedTuple):
    dataset: str
    length: int
    options: AudioOptions
    s: int
    d: int
    features: int
    hidden: int
    base: int
    weights: tuple[float, float, float]
    bsz: int
    lr: float
    epochs: int | None
    steps: int | None
    schedule: Literal["cosine", "constant"]


# fmt: off
_TABLE = {
    # Tab. 3 has the sizes of the factors, App. D the rest but the per-frame networks, on which the paper is silent:
    # two MLP layers. The weights are those of all its datasets.
    #                    dataset  len  options   s   d   feat. hid. base l1-3                  bsz lr    epochs steps schedule
    "s3vae-timit": _Row("timit",  20,  _SPEECH,  64, 64, 128,  256, 512, (1000.0, 100.0, 1.0), 16, 1e-3, 1000,  None, "constant"),
    # ours
    "s3vae-tones": _Row("tones",  40,  _MUSIC,   16, 8,  64,   64,  128, (100.0, 10.0, 1.0),   32, 2e-3, None,  1500, "cosine"),
}
# fmt: on


def _preset(name: str, row: _Row) -> RunConfig:
    backbone = BackboneConfig(kind="mlp", channels=row.base, multipliers=(1, 1))
    consistency, prediction, information = row.weights
    return RunConfig(
        preset=name,
        modality="audio",
        method="s3vae",
        data=DataConfig(
            dataset=row.dataset, length=row.length, frame_shape=(80,), options=row.options.model_dump()
        ),
        model=S3VAEConfig(
            static_dim=row.s,
            dynamic_dim=row.d,
            features=row.features,
            hidden_dim=row.hidden,
            layer_norm=row.steps is not None,
            encoder=backbone,
            decoder=backbone,
            output="linear",
            prediction=PredictionConfig(target="silence", width=1, loss="binary"),
            consistency_weight=consistency,
            prediction_weight=prediction,
            information_weight=information,
        ),
        train=TrainConfig(
            epochs=row.epochs,
            steps=row.steps,
            batch_size=row.bsz,
            lr=row.lr,
            weight_decay=0.0,  # plain Adam
            warmup_steps=0 if row.schedule == "constant" else 50,
            schedule=row.schedule,
            grad_clip=None,
            ema_decay=0.0,
            eval_every=1000 if row.steps is None else row.steps // 2,
            save_every=1000 if row.steps is None else row.steps // 2,
        ),
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


S3VAE_PRESETS: Mapping[str, RunConfig] = {name: _preset(name, row) for name, row in _TABLE.items()}
