"""Presets of VDSM for video: the paper's four datasets, and small ones for a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from seqdis.core.config import DataConfig, RampConfig, RunConfig, StageConfig, TrainConfig
from seqdis.core.methods.vdsm.config import VDSMConfig
from seqdis.video.options import VideoOptions

__all__ = ["VDSM_PRESETS"]


class _Row(NamedTuple):
    dataset: str
    side: int
    length: int
    experts: int  # N, and the width of s
    action: int
    pose: int
    encoder: tuple[int, ...]
    decoder: tuple[int, ...]
    features: int
    hidden: int  # of the bi-LSTM and the transition
    noise: float | None  # of a Gaussian likelihood, where the data have 0.5; None: Bernoulli
    lr: float
    batch: int
    epochs: tuple[int, int]  # of the two stages


# fmt: off
_ROWS = {
    # The paper gives datasets, lengths and sizes of frames, five layers in the encoder and the ranges of the
    # annealing; all other numbers are ours. MUG has no loader of its own: it is a folder of the user's clips.
    #                             dataset         side V   N   d   z   encoder                   decoder              feat hid  noise lr    bsz epochs
    "vdsm-mug":              _Row("folder",       64,  16, 52, 64, 32, (32, 64, 128, 256, 256), (256, 128, 64, 32), 512, 256, None, 1e-3, 16, (400, 400)),
    "vdsm-sprites":          _Row("sprites",      64,  8,  40, 32, 24, (32, 64, 128, 256, 256), (256, 128, 64, 32), 512, 256, None, 1e-3, 32, (60, 40)),
    "vdsm-moving-mnist":     _Row("smmnist",      64,  16, 32, 64, 24, (32, 64, 128, 256, 256), (256, 128, 64, 32), 512, 256, None, 1e-3, 32, (60, 40)),
    "vdsm-pendulum":         _Row("pendulum",     64,  16, 7,  16, 8,  (16, 32, 64, 128, 128),  (128, 64, 32, 16),  256, 128, None, 1e-3, 32, (40, 60)),
    "vdsm-sprites32":        _Row("sprites",      32,  8,  20, 32, 16, (12, 24, 48, 64, 96),     (48, 24, 16),       192, 128, 0.7,  2e-3, 16, (5, 2)),
    "vdsm-pendulum16":       _Row("pendulum",     16,  16, 7,  16, 6,  (12, 24, 48, 64),        (48, 24),           96,  64,  None, 3e-3, 32, (10, 20)),
}
# fmt: on

# Sec. 3.2 groups the images of an identity, of one sequence or of several. A sprite looks to one side throughout a
# clip: only its other clips tell that the side is not part of who it is.
_CHARACTER = ("skin", "pants", "top", "hair")
_FRAMES = {
    # Sec. 3.2 gives the ends of λ_s and λ_z. In equal ratios λ_z leaves the time that poses need before it is 1.
    # There are no numbers for the temperature: here it starts where all experts have nearly one weight.
    "kl_static_weight": RampConfig(start=0.1, end=1.0),
    "kl_pose_weight": RampConfig(start=30.0, end=1.0, kind="geometric"),
    "temperature": RampConfig(start=10.0, end=0.5, kind="geometric"),
}
_SEQUENCES = {"kl_pose_weight": RampConfig(start=0.1, end=1.0)}


def _preset(name: str, row: _Row) -> RunConfig:
    return RunConfig(
        preset=name,
        modality="video",
        method="vdsm",
        data=DataConfig(
            dataset=row.dataset,
            length=row.length,
            frame_shape=(3, row.side, row.side),
            identities=_CHARACTER if row.dataset == "sprites" else (),
            options=VideoOptions().model_dump(),
        ),
        model=VDSMConfig(
            static_dim=row.experts,
            action_dim=row.action,
            pose_dim=row.pose,
            encoder_channels=row.encoder,
            decoder_channels=row.decoder,
            features=row.features,
            recurrent=row.hidden,
            transition=row.hidden,
            likelihood="bernoulli" if row.noise is None else "gaussian",
            observation_std=row.noise or 0.1,
        ),
        train=TrainConfig(
            stages=(
                StageConfig(name="frames", epochs=row.epochs[0], frozen=("sequence",), ramps=_FRAMES),
                StageConfig(
                    name="sequences",
                    epochs=row.epochs[1],
                    frozen=("encoder", "decoder", "frame_pose"),
                    ramps=_SEQUENCES,
                ),
            ),
            batch_size=row.batch,
            lr=row.lr,
            weight_decay=0.0,  # Adam
            warmup_steps=100,
            schedule="constant",
            grad_clip=None,
            ema_decay=0.99,
        ),
    )


VDSM_PRESETS: Mapping[str, RunConfig] = {name: _preset(name, row) for name, row in _ROWS.items()}
