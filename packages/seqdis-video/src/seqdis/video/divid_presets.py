"""Presets of DiViD for video: the two datasets of its paper, sprites, and small ones for a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from seqdis.core.config import DataConfig, PriorConfig, RunConfig, TrainConfig
from seqdis.core.diffusion.samplers.ddim import DDIMConfig
from seqdis.core.diffusion.samplers.ddpm import DDPMConfig
from seqdis.core.methods.divid.config import DiViDConfig
from seqdis.core.nn.backbones import BackboneConfig
from seqdis.video.options import VideoOptions

__all__ = ["DIVID_PRESETS"]


class _Row(NamedTuple):
    dataset: str
    pick: Literal["window", "spread"]
    side: int
    length: int
    static: int
    dynamic: int
    hidden: int  # of the static MLP
    attention: int  # width of LSTM and self-attention
    heads: int
    token: int
    encoder: tuple[int, tuple[int, ...], int]  # base channels, multipliers, blocks
    unet: tuple[int, tuple[int, ...], int]
    levels: tuple[int, ...]  # of the U-Net with self-attention
    cross: tuple[int, ...] | None  # with cross-attention; all
    positions: int
    frames_per_clip: int | None
    prediction: Literal["epsilon", "velocity"]
    loss_on: Literal["epsilon", "velocity"]
    betas: Literal["linear", "cosine"]
    sampler: Literal["ddpm", "ddim"]
    steps: int  # of the sampler
    lr: float
    batch: int
    train_steps: int
    warmup: int
    ema: float
    every: int


# fmt: off
_ROWS = {
    # Sec. 4.1 gives the sizes of the first three rows, but neither the channel multipliers (these are usual ones),
    # nor the width of d and of the tokens, the resolution (four levels with attention at 32, 16 and 8 start at 64)
    # or the optimisation: those are ours. Sprites at 32x32 learns on v: in a training this short a loss on ε (Eq. 3)
    # leaves the steps at which appearance is decided all but untrained. MHAD's clips are consecutive frames, MEAD's
    # are spread over a video.
    #                       dataset    pick      side V   s    d    MLP   attn h  token encoder             U-Net                    attn       cross   pos f/clip pred.       loss on     betas     sampler steps lr    bsz train   warm ema    every
    "divid-mhad":      _Row("folder",  "window", 64,  10, 256, 256, 1024, 256, 8, 256, (128, (1, 2, 4), 2), (128, (1, 2, 3, 4), 2), (1, 2, 3), None,   0,  None, "epsilon",  "epsilon",  "linear", "ddpm", 1000, 1e-4, 8,  100000, 1000, 0.9999, 5000),
    "divid-mead":      _Row("folder",  "spread", 64,  15, 256, 256, 1024, 256, 8, 256, (128, (1, 2, 4), 2), (128, (1, 2, 3, 4), 2), (1, 2, 3), None,   0,  None, "epsilon",  "epsilon",  "linear", "ddpm", 1000, 1e-4, 8,  100000, 1000, 0.9999, 5000),
    "divid-sprites":   _Row("sprites", "window", 64,  8,  256, 256, 1024, 256, 8, 256, (128, (1, 2, 4), 2), (128, (1, 2, 3, 4), 2), (1, 2, 3), None,   0,  None, "epsilon",  "epsilon",  "linear", "ddpm", 1000, 1e-4, 8,  50000,  1000, 0.9999, 5000),
    "divid-sprites32": _Row("sprites", "window", 32,  8,  64,  16,  256,  128, 8, 64,  (8, (1, 2, 4), 1),    (16, (1, 2, 4), 1),     (2,),      (1, 2), 2,  1,    "velocity", "velocity", "linear", "ddim", 12,   2e-3, 16, 9000,   100,  0.998,  1500),
    "divid-shapes":    _Row("shapes",  "window", 16,  6,  32,  8,   128,  64,  4, 32,  (12, (1, 2, 4), 1),   (16, (1, 2, 4), 1),     (2,),      (1, 2), 2,  2,    "velocity", "epsilon",  "cosine", "ddim", 16,   3e-3, 32, 1500,   50,   0.99,   750),
}
# fmt: on


def _backbone(size: tuple[int, tuple[int, ...], int]) -> BackboneConfig:
    channels, multipliers, blocks = size
    return BackboneConfig(kind="unet", channels=channels, multipliers=multipliers, blocks=blocks)


def _preset(name: str, row: _Row) -> RunConfig:
    small = row.frames_per_clip is not None
    # "Features projected to an embedding dimension of 3": a map of a quarter of the frame's side, flattened. The
    # linear layer behind it has as many numbers and changes nothing that the layers after it could not.
    narrowed = {} if small else {"embedding": 3}
    feature = row.attention if small else 3 * (row.side // 4) ** 2
    return RunConfig(
        preset=name,
        modality="video",
        method="divid",
        data=DataConfig(
            dataset=row.dataset,
            length=row.length,
            frame_shape=(3, row.side, row.side),
            pick=row.pick,
            options=VideoOptions().model_dump(),
        ),
        model=DiViDConfig(
            static_dim=row.static,
            dynamic_dim=row.dynamic,
            feature_dim=feature,
            hidden_dim=row.hidden,
            attention_dim=row.attention,
            attention_heads=row.heads,
            token_dim=row.token,
            encoder=_backbone(row.encoder).model_copy(update=narrowed),
            denoiser=_backbone(row.unet).model_copy(
                update={
                    "attention": row.levels,
                    "token_levels": row.cross,
                    "positions": row.positions,
                }
            ),
            prediction=row.prediction,
            loss_on=row.loss_on,
            beta_schedule=row.betas,
            frames_per_clip=row.frames_per_clip,
            sampler=(DDPMConfig if row.sampler == "ddpm" else DDIMConfig)(levels="chain", steps=row.steps),
        ),
        train=TrainConfig(
            steps=row.train_steps,
            batch_size=row.batch,
            lr=row.lr,
            warmup_steps=row.warmup,
            ema_decay=row.ema,
            precision="auto",
            eval_every=row.every,
            save_every=row.every,
        ),
        prior=PriorConfig(options={"epochs": 20 if small else 100, "lr": 1e-3}),
    )


DIVID_PRESETS: Mapping[str, RunConfig] = {name: _preset(name, row) for name, row in _ROWS.items()}
