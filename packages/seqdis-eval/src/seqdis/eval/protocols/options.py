"""Options that several protocols share, each declared once; a protocol's own options inherit what it needs."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from seqdis.core.base_config import LONGEST
from seqdis.core.config import Config
from seqdis.eval.engine.batches import Noise
from seqdis.eval.engine.mode import Mode

__all__ = [
    "DEFAULT_CLIPS",
    "BatchOption",
    "ClipsOption",
    "FeaturesOption",
    "JudgeOption",
    "ModeOption",
    "NoiseOption",
    "PairsOption",
    "SamplerOptions",
    "SeedsOption",
]

DEFAULT_CLIPS = 512
"""Clips or swaps where nothing else is said, so that a measurement takes minutes."""


class ModeOption(Config):
    """The two modes of a protocol."""

    mode: Mode = Field("corrected", description="sound, or as the code behind the papers' figures does it")


class SeedsOption(Config):
    """Repetitions whose figures are averaged."""

    seeds: int = Field(
        1, ge=1, le=LONGEST, description="repetitions of each run's measurement, from --seed on"
    )


class SamplerOptions(Config):
    """Options of decoding: the sampler and its steps."""

    steps: int | None = Field(
        None, ge=2, le=1_000_000, description="noise levels of the sampler; the model's when omitted"
    )
    sampler: str | None = Field(
        None, description="algorithm of the sampler: edm, ddim, ddpm, dpmpp, unipc; the model's when omitted"
    )
    model: tuple[str, ...] = Field(
        (),
        description="a setting of the model that may change after training, e.g. content_frames=5; may be repeated",
        json_schema_extra={"metavar": "KEY=VALUE"},
    )


class JudgeOption(Config):
    """A judge of one's own."""

    judge: Path | None = Field(
        None,
        description="a classifier of the clips' labels, as TorchScript or as a judge kept by this package "
        "(.safetensors); one trained on the training split when omitted",
        json_schema_extra={"metavar": "FILE"},
    )


class BatchOption(Config):
    """Option of the number of clips in a batch."""

    batch_size: int = Field(64, ge=1, le=LONGEST, description="clips a pass; it does not change the figures")


class ClipsOption(Config):
    """Option of the number of test clips."""

    clips: int | None = Field(
        None, ge=2, le=LONGEST,
        description=f"test clips at most; {DEFAULT_CLIPS} when omitted, in published mode as many as the papers take",
    )  # fmt: skip


class PairsOption(Config):
    """Option of the number of swaps."""

    pairs: int = Field(
        DEFAULT_CLIPS,
        ge=1,
        le=LONGEST,
        description="swaps, and clips that are reconstructed; one a test clip at most",
    )
    pair_list: Path | None = Field(
        None,
        description="file that lists the swaps, as RUN/eval/swap/pairs.json does, all of which are made; without it they "
        "are drawn by the seed",
    )


class NoiseOption(Config):
    """Option of the noise that a swap starts from."""

    noise: Noise = Field(
        "dynamic",
        description="what a swap starts from: the noise that leads to the clip whose dynamics it takes (dynamic), "
        "to the other clip (static), or fresh noise",
    )


class FeaturesOption(Config):
    """Feature networks of others."""

    features: tuple[str, ...] = Field(
        (),
        description="a feature network: fid, fvd, akd=face, akd=body, aed=face, each also with =FILE; may be repeated",
        json_schema_extra={"metavar": "NAME[=WHICH]"},
    )
