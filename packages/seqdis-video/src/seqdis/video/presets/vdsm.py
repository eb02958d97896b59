"""Presets of VDSM for video: the paper's four datasets, and two small ones for a CPU."""

from __future__ import annotations

from typing import Literal, TypedDict

from seqdis.core.config import DataConfig, RampConfig, RunConfig, StageConfig, TrainConfig, change_config
from seqdis.core.methods.vdsm.config import VDSMConfig
from seqdis.video.options import VideoOptions

__all__ = [
    "vdsm_moving_mnist",
    "vdsm_mug",
    "vdsm_pendulum",
    "vdsm_pendulum16",
    "vdsm_sprites",
    "vdsm_sprites32",
    "vdsm_sprites32_paper",
]


class _Sprites32(TypedDict):
    dataset: str
    side: int
    length: int
    identities: tuple[str, ...]
    experts: int
    action_dim: int
    pose_dim: int
    decoder_channels: tuple[int, ...]
    recurrent: int
    frame_steps: int
    sequence_steps: int


# Sec. 3.2 groups the images of an identity, of one sequence or of several. A sprite looks to one side throughout a
# clip: only its other clips tell that the side is not part of who it is.
_CHARACTER = ("skin", "pants", "top", "hair")
# Sec. 3.2 gives the ends of λ_s and λ_z of the first stage and of λ_z in the second; the way between them, the
# temperature (a factor on s of 1 to 10 before the softmax) and λ_d of the second stage are those of the authors' code.
_FRAME_RAMPS = {
    "kl_static_weight": RampConfig(start=0.1, end=1.0, via=((1 / 3, 1.0),)),
    "kl_pose_weight": RampConfig(start=30.0, end=1.0, via=((0.5, 0.2), (0.8, 0.4))),
    "temperature": RampConfig(start=1.0, end=0.1, kind="harmonic", via=((0.5, 0.1),)),
}
_SEQUENCE_RAMPS = {
    "kl_pose_weight": RampConfig(start=0.1, end=1.0),
    "kl_action_weight": RampConfig(start=0.1, end=1.0),
}
_FRAME_RAMPS32 = {
    "kl_static_weight": RampConfig(start=0.1, end=0.1, via=((1 / 3, 1.0), (0.5, 1.0), (0.75, 0.1))),
    "kl_pose_weight": RampConfig(start=30.0, end=0.08, via=((0.45, 0.5), (0.85, 0.1))),
}
_SEQUENCE_RAMPS32 = {
    name: RampConfig(start=0.02, end=0.02) for name in ("kl_pose_weight", "kl_action_weight")
}


def _base(
    *,
    preset: str,
    dataset: str,
    experts: int,
    action_dim: int,
    pose_dim: int,
    frame_steps: int = 10_000,
    sequence_steps: int = 10_000,
    side: int = 64,
    length: int = 16,
    identities: tuple[str, ...] = (),
    encoder_channels: tuple[int, ...] = (32, 64, 128, 256, 256),
    decoder_channels: tuple[int, ...] = (256, 128, 64, 32),
    features: int = 512,
    recurrent: int = 512,
    observation_std: float | None = None,
    lr: float = 1e-3,
    schedule: Literal["cosine", "constant"] = "constant",
    batch_size: int = 20,
) -> RunConfig:
    """Settings that all presets share: 16 frames of 64x64, a Bernoulli likelihood, two stages of plain Adam.

    The paper gives datasets, lengths and sizes of frames, five layers in the encoder and the ends of the annealing;
    its authors' code steps, batches, the course of the annealing, the width of recurrences and, for sprites, those
    of the factors. The other numbers are ours: its decoder 512-256-128-64 has 131 million weights with 40 experts.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        experts: N, and the width of ``s``.
        action_dim: Width of the action ``d``.
        pose_dim: Width of a frame's pose ``z``.
        frame_steps: Length of the first stage, in which the networks of sequences are frozen.
        sequence_steps: Length of the second stage, in which encoder, decoder and the pose layer are frozen.
        side: Height and width of a frame, in pixels.
        length: Frames of a clip, V.
        identities: Labels that name an identity; each clip is one of its own when there are none.
        encoder_channels: Channels of the encoder's layers.
        decoder_channels: Channels of an expert's layers.
        features: Width of a frame's embeddings.
        recurrent: Width of the bi-LSTM, each way; the transition network has half of it.
        observation_std: Standard deviation of a Gaussian likelihood, on data of standard deviation 0.5; Bernoulli when omitted.
        lr: Learning rate at its highest, after the warm-up.
        schedule: Course of the learning rate after the warm-up.
        batch_size: Clips a step.
    """
    return RunConfig(
        preset=preset,
        modality="video",
        method="vdsm",
        data=DataConfig(
            dataset=dataset,
            repeats=1 if dataset == "folder" else None,
            length=length,
            frame_shape=(3, side, side),
            identities=identities,
            options=VideoOptions().model_dump(),
        ),
        model=VDSMConfig(
            static_dim=experts,
            action_dim=action_dim,
            pose_dim=pose_dim,
            encoder_channels=encoder_channels,
            decoder_channels=decoder_channels,
            features=features,
            recurrent=recurrent,
            transition=recurrent // 2,
            likelihood="bernoulli" if observation_std is None else "gaussian",
            observation_std=observation_std or 0.5,
        ),
        train=TrainConfig(
            stages=(
                StageConfig(name="frames", steps=frame_steps, frozen=("sequence",), ramps=_FRAME_RAMPS),
                StageConfig(
                    name="sequences",
                    steps=sequence_steps,
                    frozen=("encoder", "decoder", "frame_pose"),
                    ramps=_SEQUENCE_RAMPS,
                ),
            ),
            batch_size=batch_size,
            lr=lr,
            weight_decay=0.0,  # Adam
            warmup_steps=100,
            schedule=schedule,
            grad_clip=None,
            ema_decay=0.99,
        ),
    )


def vdsm_mug() -> RunConfig:
    """MUG, one of the paper's four: a folder of the user's clips, for it has no loader, and the most experts."""
    return _base(preset="vdsm-mug", dataset="folder", experts=52, action_dim=64, pose_dim=32)


def vdsm_sprites() -> RunConfig:
    """Sprites at 64x64, one of the paper's four: eight frames, characters as identities, the widths of the authors' code."""
    return _base(
        preset="vdsm-sprites",
        dataset="sprites",
        length=8,
        identities=_CHARACTER,
        experts=40,
        action_dim=50,
        pose_dim=30,
    )


def vdsm_moving_mnist() -> RunConfig:
    """Moving MNIST, one of the paper's four: networks in the base's sizes."""
    return _base(preset="vdsm-moving-mnist", dataset="smmnist", experts=32, action_dim=64, pose_dim=24)


def vdsm_pendulum() -> RunConfig:
    """Pendulum, one of the paper's four: an expert for each of the seven colours, and networks of half the width."""
    return _base(
        preset="vdsm-pendulum",
        dataset="pendulum",
        experts=7,
        action_dim=16,
        pose_dim=8,
        encoder_channels=(16, 32, 64, 128, 128),
        decoder_channels=(128, 64, 32, 16),
        features=256,
        recurrent=256,
    )


_SPRITES32: _Sprites32 = {
    "dataset": "sprites",
    "side": 32,
    "length": 8,
    "identities": _CHARACTER,
    "experts": 40,
    "action_dim": 50,
    "pose_dim": 30,
    "decoder_channels": (128, 64, 32),
    "recurrent": 256,
    "frame_steps": 8000,
    "sequence_steps": 3000,
}


def vdsm_sprites32_paper() -> RunConfig:
    """Sprites at 32x32 by the paper and the authors' code, in widths and steps for a CPU.

    The paper's form throughout: five layers in the encoder, a Bernoulli likelihood, a constant rate. What is ours is
    the size of the frame and what follows from it: networks of a quarter of the width, one layer less in an expert.
    """
    return _base(
        preset="vdsm-sprites32-paper",
        encoder_channels=(16, 32, 64, 96, 128),
        features=256,
        **_SPRITES32,
    )


def vdsm_sprites32() -> RunConfig:
    """Sprites at 32x32 (ours, for a CPU), with what small things of little contrast need.

    Unlike ``vdsm-sprites32-paper``:

    - Four layers in the encoder, so that its last map has 2x2 places as it has at 64x64 with five; a Gaussian
      likelihood of standard deviation 0.5, where the data have 0.5; group norms in both networks.
    - A temperature of 1 throughout: at 0.1 the mixture is nearly one expert, which learns from a fortieth of the data.
    - Divergences end low, that of s at 0.1 and that of the poses at 0.08 in the first stage; in the second those of
      poses and action weigh 0.02. At the paper's 1 the poses are too vague for clothes of a few pixels.
    - Twice the rate, falling to 0 along a cosine, and tenfold in the second stage, which begins where the cosine is
      nearly over; groups of 8 frames of an identity, which are half of the work of a step.
    """
    config = _base(
        preset="vdsm-sprites32",
        encoder_channels=(16, 32, 64, 128),
        features=256,
        observation_std=0.5,
        lr=2e-3,
        schedule="cosine",
        **_SPRITES32,
    )
    frames, sequences = config.train.stages
    stages = (
        frames.model_copy(update={"steps": 8500, "ramps": _FRAME_RAMPS32}),
        sequences.model_copy(update={"steps": 2000, "ramps": _SEQUENCE_RAMPS32, "rates": {"sequence": 10.0}}),
    )
    return change_config(
        config,
        {
            "data.identity_frames": 8,
            "model.norm_groups": 8,
            "train.stages": stages,
        },
    )


def vdsm_pendulum16() -> RunConfig:
    """Pendulums at 16x16 (ours, for a CPU): four layers in the encoder and two in an expert."""
    return _base(
        preset="vdsm-pendulum16",
        dataset="pendulum",
        side=16,
        experts=7,
        action_dim=16,
        pose_dim=6,
        encoder_channels=(12, 24, 48, 64),
        decoder_channels=(48, 24),
        features=96,
        recurrent=64,
        lr=3e-3,
        batch_size=32,
        frame_steps=640,
        sequence_steps=1280,
    )
