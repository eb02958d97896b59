"""Presets of VDSM for video: the paper's four datasets, and two small ones for a CPU."""

from __future__ import annotations

from seqdis.core.config import DataConfig, RampConfig, RunConfig, StageConfig, TrainConfig
from seqdis.core.methods.vdsm.config import VDSMConfig
from seqdis.video.options import VideoOptions

__all__ = [
    "vdsm_moving_mnist",
    "vdsm_mug",
    "vdsm_pendulum",
    "vdsm_pendulum16",
    "vdsm_sprites",
    "vdsm_sprites32",
]

# Sec. 3.2 groups the images of an identity, of one sequence or of several. A sprite looks to one side throughout a
# clip: only its other clips tell that the side is not part of who it is.
_CHARACTER = ("skin", "pants", "top", "hair")
_FRAME_RAMPS = {
    # Sec. 3.2 gives the ends of λ_s and λ_z. In equal ratios λ_z leaves the time that poses need before it is 1.
    # There are no numbers for the temperature: here it starts where all experts have nearly one weight.
    "kl_static_weight": RampConfig(start=0.1, end=1.0),
    "kl_pose_weight": RampConfig(start=30.0, end=1.0, kind="geometric"),
    "temperature": RampConfig(start=10.0, end=0.5, kind="geometric"),
}
_SEQUENCE_RAMPS = {"kl_pose_weight": RampConfig(start=0.1, end=1.0)}


def _base(
    *,
    preset: str,
    dataset: str,
    experts: int,
    action_dim: int,
    pose_dim: int,
    frame_epochs: int,
    sequence_epochs: int,
    side: int = 64,
    length: int = 16,
    identities: tuple[str, ...] = (),
    encoder_channels: tuple[int, ...] = (32, 64, 128, 256, 256),
    decoder_channels: tuple[int, ...] = (256, 128, 64, 32),
    features: int = 512,
    hidden: int = 256,
    observation_std: float | None = None,
    lr: float = 1e-3,
    batch_size: int = 32,
) -> RunConfig:
    """Settings that all presets share: 16 frames of 64x64, a Bernoulli likelihood, two stages of plain Adam.

    The paper gives datasets, lengths and sizes of frames, five layers in the encoder and the ranges of the
    annealing; all other numbers are ours.

    Args:
        preset: The preset's name.
        dataset: A dataset's name, or ``"folder"``.
        experts: N, and the width of ``s``.
        action_dim: Width of the action ``d``.
        pose_dim: Width of a frame's pose ``z``.
        frame_epochs: Length of the first stage, in which the networks of sequences are frozen.
        sequence_epochs: Length of the second stage, in which encoder, decoder and the pose layer are frozen.
        side: Height and width of a frame, in pixels.
        length: Frames of a clip, V.
        identities: Labels that name an identity; each clip is one of its own when there are none.
        encoder_channels: Channels of the encoder's layers.
        decoder_channels: Channels of an expert's layers.
        features: Width of a frame's embeddings.
        hidden: Width of the bi-LSTM, each way, and of the transition network.
        observation_std: Standard deviation of a Gaussian likelihood, on data of standard deviation 0.5; Bernoulli when omitted.
        lr: Learning rate at its highest, after the warm-up.
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
            recurrent=hidden,
            transition=hidden,
            likelihood="bernoulli" if observation_std is None else "gaussian",
            observation_std=observation_std or 0.1,
        ),
        train=TrainConfig(
            stages=(
                StageConfig(name="frames", epochs=frame_epochs, frozen=("sequence",), ramps=_FRAME_RAMPS),
                StageConfig(
                    name="sequences",
                    epochs=sequence_epochs,
                    frozen=("encoder", "decoder", "frame_pose"),
                    ramps=_SEQUENCE_RAMPS,
                ),
            ),
            batch_size=batch_size,
            lr=lr,
            weight_decay=0.0,  # Adam
            warmup_steps=100,
            schedule="constant",
            grad_clip=None,
            ema_decay=0.99,
        ),
    )


def vdsm_mug() -> RunConfig:
    """MUG, one of the paper's four: a folder of the user's clips, for it has no loader, and the most experts."""
    return _base(
        preset="vdsm-mug",
        dataset="folder",
        experts=52,
        action_dim=64,
        pose_dim=32,
        batch_size=16,
        frame_epochs=400,
        sequence_epochs=400,
    )


def vdsm_sprites() -> RunConfig:
    """Sprites at 64x64, one of the paper's four: eight frames, and characters as identities."""
    return _base(
        preset="vdsm-sprites",
        dataset="sprites",
        length=8,
        identities=_CHARACTER,
        experts=40,
        action_dim=32,
        pose_dim=24,
        frame_epochs=60,
        sequence_epochs=40,
    )


def vdsm_moving_mnist() -> RunConfig:
    """Moving MNIST, one of the paper's four: networks in the base's sizes."""
    return _base(
        preset="vdsm-moving-mnist",
        dataset="smmnist",
        experts=32,
        action_dim=64,
        pose_dim=24,
        frame_epochs=60,
        sequence_epochs=40,
    )


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
        hidden=128,
        frame_epochs=40,
        sequence_epochs=60,
    )


def vdsm_sprites32() -> RunConfig:
    """Sprites at 32x32 (ours, for a CPU): narrow networks, a Gaussian likelihood and a few epochs."""
    return _base(
        preset="vdsm-sprites32",
        dataset="sprites",
        side=32,
        length=8,
        identities=_CHARACTER,
        experts=20,
        action_dim=32,
        pose_dim=16,
        encoder_channels=(12, 24, 48, 64, 96),
        decoder_channels=(48, 24, 16),
        features=192,
        hidden=128,
        observation_std=0.7,
        lr=2e-3,
        batch_size=16,
        frame_epochs=5,
        sequence_epochs=2,
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
        hidden=64,
        lr=3e-3,
        frame_epochs=10,
        sequence_epochs=20,
    )
