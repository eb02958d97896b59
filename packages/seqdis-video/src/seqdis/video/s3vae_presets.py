"""Presets of S3VAE for video: the three datasets of its App. D, and two small ones for a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.methods.s3vae.config import PredictionConfig, S3VAEConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.video.options import VideoOptions

__all__ = ["S3VAE_PRESETS"]


class _Row(NamedTuple):
    dataset: str
    channels: int  # of a frame
    side: int
    length: int
    static: int
    dynamic: int
    features: int
    hidden: int
    base: int
    down: tuple[int, ...]  # the encoder's multipliers of the base
    up: tuple[int, ...]  # the decoder's
    target: str
    width: int
    loss: Literal["cross_entropy", "binary", "squared"]
    weights: tuple[float, float, float]
    std: float  # of the frames
    batch: int
    lr: float
    epochs: int | None
    steps: int | None
    schedule: Literal["cosine", "constant"]
    every: int  # steps between validations and between checkpoints


_DOWN, _UP = (1, 2, 4, 8), (8, 4, 2, 2, 1)
_PAPER = (1000.0, 100.0, 1.0)
_SQUARES = 2**-0.5  # the negative log-likelihood is the sum of squared errors and a constant

# fmt: off
_ROWS = {
    # App. D, Tab. 1. Only SMMNIST's and Sprites' data have a loader; MUG is a folder of the user's clips, with the
    # landmarks of their faces in data.options.landmarks.
    #                      dataset    C  side V   s    d    feat. hid. base enc.       dec.          target                K  its loss         l1-3    std       bsz lr    epochs steps schedule    every
    "s3vae-smmnist":   _Row("smmnist", 1, 64,  15, 256, 32,  128,  256, 64,  _DOWN,     _UP,          "flow_cells",         9, "cross_entropy", _PAPER, _SQUARES, 16, 1e-3, 1000,  None, "constant", 2000),
    "s3vae-sprites":   _Row("sprites", 3, 64,  8,  256, 32,  128,  256, 64,  _DOWN,     _UP,          "flow_cells",         9, "cross_entropy", _PAPER, _SQUARES, 16, 1e-3, 1000,  None, "constant", 2000),
    "s3vae-mug":       _Row("folder",  3, 64,  15, 8,   128, 128,  256, 64,  _DOWN,     _UP,          "landmark_distances", 3, "squared",       _PAPER, _SQUARES, 16, 1e-3, 1000,  None, "constant", 2000),
    # ours
    "s3vae-sprites32": _Row("sprites", 3, 32,  8,  64,  16,  64,   128, 12,  (2, 4, 8), (8, 4, 2, 1), "flow_cells",         9, "cross_entropy", _PAPER, 0.2,      16, 2e-3, None,  3000, "cosine",   1000),
    "s3vae-shapes":    _Row("shapes",  3, 16,  6,  16,  8,   64,   64,  16,  (2, 4),    (4, 2, 1),    "flow_cells",         9, "cross_entropy", _PAPER, 0.1,      32, 2e-3, None,  1200, "cosine",   600),
}
# fmt: on


def _preset(name: str, row: _Row) -> RunConfig:
    def backbone(multipliers: tuple[int, ...]) -> BackboneConfig:
        return BackboneConfig(kind="conv", channels=row.base, multipliers=multipliers)

    consistency, prediction, information = row.weights
    return RunConfig(
        preset=name,
        modality="video",
        method="s3vae",
        data=DataConfig(
            dataset=row.dataset,
            length=row.length,
            frame_shape=(row.channels, row.side, row.side),
            options=VideoOptions().model_dump(),
        ),
        model=S3VAEConfig(
            static_dim=row.static,
            dynamic_dim=row.dynamic,
            features=row.features,
            hidden_dim=row.hidden,
            layer_norm=row.steps is not None,
            encoder=backbone(row.down),
            decoder=backbone(row.up),
            output="sigmoid",
            frame_std=row.std,
            prediction=PredictionConfig(target=row.target, width=row.width, loss=row.loss),
            consistency_weight=consistency,
            prediction_weight=prediction,
            information_weight=information,
        ),
        train=TrainConfig(
            epochs=row.epochs,
            steps=row.steps,
            batch_size=row.batch,
            lr=row.lr,
            weight_decay=0.0,  # plain Adam
            warmup_steps=0 if row.schedule == "constant" else 100,
            schedule=row.schedule,
            grad_clip=None,
            # The running statistics of batch norm are those of the weights themselves, not of an average.
            ema_decay=0.0,
            eval_every=row.every,
            save_every=row.every,
        ),
        prior=PriorConfig(options={"epochs": 20, "lr": 1e-3}),
    )


S3VAE_PRESETS: Mapping[str, RunConfig] = {name: _preset(name, row) for name, row in _ROWS.items()}
