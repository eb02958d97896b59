"""Presets of BCD for video: the columns of its Tab. A7 and A8, and a small one for a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from seqdis.core.config import CodecConfig, DataConfig, PriorConfig, RunConfig, StageConfig, TrainConfig
from seqdis.core.diffusion.samplers.edm import EDMConfig
from seqdis.core.methods.bcd.config import BCDConfig, SequenceEncoderConfig
from seqdis.core.methods.bcd.dit_config import dit_config
from seqdis.video.options import VideoOptions

__all__ = ["BCD_PRESETS"]


class _Row(NamedTuple):
    dataset: str
    codec: str
    side: int
    length: int
    fps: float
    width: int  # of the T5 encoder
    feedforward: int
    depth: int
    heads: int
    decoder: str
    groups: int
    codes: int
    code_dim: int
    bits: float  # a frame
    tau: tuple[float, float, float]  # temperature from, to, and factor a step
    nfe_steps: int
    lr: float
    encoder_rate: float  # over lr
    batch: int
    epochs: tuple[int, int]  # without and with temporal blocks
    scale: float = 1.0  # of the distances to the entries
    memory: float = 0.0  # of the rate, over batches
    p_mean: float = -1.2
    schedule: Literal["cosine", "constant"] = "constant"
    steps: tuple[int | None, int | None] = (None, None)  # instead of epochs
    warmup: int | None = None


# fmt: off
_ROWS = {
    # The epochs of LRS3 are those of Sec. 4.2; those of sprites and all of the small preset are ours. LRS3 has no
    # loader of its own: it is a folder of the user's clips. Sprites at 32x32 hold the rate over 8 batches of 16 clips,
    # as many clips as a batch of the paper's has.
    #                       dataset    codec          side V   fps  T5: width ff  depth heads decoder G   J   dim  bits tau                     steps lr    enc. bsz epochs
    "bcd-lrs3":        _Row("folder",  "autoencoder", 256, 50, 25., 512, 2048, 12, 8,  "B/4",  64, 32, 16,  160, (1.5, 0.1, 0.9999972), 128, 2e-4, 0.5, 32, (30, 15)),
    "bcd-sprites":     _Row("sprites", "identity",    64,  8,  25., 384, 1536, 12, 6,  "S/8",  1,  64, 384, 6,   (2.0, 0.5, 0.9999972), 50,  5e-5, 1.0, 128, (200, 100)),
    "bcd-sprites32":   _Row("sprites", "identity",    32, 8,  25., 128,  256,  2,  4,  "XXS/4", 2, 32, 64, 6,   (2.0, 0.5, 0.999),     8,   1.5e-3, 1.0, 16, (2, 1), 12., 0.875, 0.4, "cosine", (1500, 500), 50),
    "bcd-shapes":      _Row("shapes",  "identity",    16, 6,  8.,  96,  192,  2,  3,  "XXS/4", 1, 32, 64,  4,   (2.0, 0.5, 0.999),     8,   1.5e-3, 1.0, 16, (4, 2), 8.0, 0.0, 0.2, "cosine", (1500, 500), 50),
}
# fmt: on


class _Prior(NamedTuple):
    width: int
    depth: int
    heads: int
    lr: float
    batch_size: int
    epochs: int


# fmt: off
_PRIORS = {
    # Tab. A9, which gives no epochs; the paper generates motion of LRS3 alone.
    #                    width depth heads lr    bsz  epochs
    "bcd-lrs3":   _Prior(1024, 12,   8,    1e-4, 256, 100),
}
_SMALL_PRIOR =    _Prior(96,   3,    3,    1e-3, 128, 20)
# fmt: on


def _preset(name: str, row: _Row) -> RunConfig:
    # App. A.1: a clip of 50 frames spans four seconds of 25 frames each, of which every second one is kept.
    stride = 2 if row.dataset == "folder" else 1
    rates = {"encoder": row.encoder_rate, "quantizer": row.encoder_rate}
    return RunConfig(
        preset=name,
        modality="video",
        method="bcd",
        data=DataConfig(
            dataset=row.dataset,
            length=row.length,
            frame_shape=(3, row.side, row.side),
            options=VideoOptions(stride=stride, fps=row.fps / stride).model_dump(),
        ),
        codec=CodecConfig(name=row.codec),
        model=BCDConfig(
            encoder=SequenceEncoderConfig(
                width=row.width, feedforward=row.feedforward, depth=row.depth, heads=row.heads
            ),
            decoder=dit_config(row.decoder),
            groups=row.groups,
            codes=row.codes,
            code_dim=row.code_dim,
            target_bits=row.bits,
            window=row.length // 2,  # training sees halves of clips
            fps=row.fps,  # the paper says 4 kbps of 160 bits at 25 frames a second, whatever the stride
            distance_scale=row.scale,
            ema_decay=row.memory,
            p_mean=row.p_mean,
            temperature=row.tau[0],
            temperature_end=row.tau[1],
            temperature_decay=row.tau[2],
            sampler=EDMConfig(steps=row.nfe_steps, guidance=1.5),
        ),
        train=TrainConfig(
            stages=(
                StageConfig(
                    name="spatial",
                    epochs=row.epochs[0],
                    steps=row.steps[0],
                    rates=rates,
                    frozen=("temporal",),
                ),
                StageConfig(
                    name="temporal",
                    epochs=row.epochs[1],
                    steps=row.steps[1],
                    rates=rates | {"encoder": row.encoder_rate / 2},
                ),
            ),
            batch_size=row.batch,
            lr=row.lr,
            weight_decay=0.01,
            warmup_steps=row.warmup,
            schedule=row.schedule,
            ema_decay=0.999,
            precision="auto",
        ),
        prior=PriorConfig(kind="autoregressive", options=_PRIORS.get(name, _SMALL_PRIOR)._asdict()),
    )


BCD_PRESETS: Mapping[str, RunConfig] = {name: _preset(name, row) for name, row in _ROWS.items()}
