"""Typed configurations, which presets build, ``config.json`` stores and overrides change."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Self

from pydantic import Field, SerializeAsAny, field_validator, model_validator

from seqdis.core.base_config import DEEPEST, LONGEST, LONGEST_CLIP, Config, parse_config
from seqdis.core.overrides import apply_overrides, change_config, read_overrides
from seqdis.core.presets import get_preset
from seqdis.core.schedules import RampKind, ramp_problem

__all__ = [
    "CodecConfig",
    "Config",
    "DataConfig",
    "PriorConfig",
    "RampConfig",
    "RunConfig",
    "StageConfig",
    "TrainConfig",
    "apply_overrides",
    "change_config",
    "parse_config",
    "read_overrides",
]


_LARGEST_FRAME = 1 << 28


class DataConfig(Config):
    """The dataset and the shape of its sequences."""

    dataset: str = Field(description="a dataset's name (`seqdis list`), or 'folder': files of the user's own")
    length: int = Field(ge=2, le=LONGEST_CLIP, description="steps of a sequence, V")
    frame_shape: tuple[Annotated[int, Field(le=1 << 20)], ...] = Field(
        max_length=8,
        description="shape of one frame in natural units; () is that of the files, where the dataset is 'folder'",
    )
    normalize: Literal["global", "channel"] = Field("global", description="scope of mean and std")
    pick: Literal["window", "spread"] = Field(
        "window",
        description="training views of longer recordings: consecutive steps (window), or any steps in order (spread)",
    )
    repeats: int | None = Field(
        None,
        ge=1,
        le=LONGEST,
        description="visits of each recording in an epoch; when omitted, as many as windows fit into it",
    )
    min_length: int = Field(
        2,
        ge=1,
        le=LONGEST_CLIP,
        description="steps of a recording below which it is left out; up to length, it is padded",
    )
    skip_bad: bool = Field(False, description="leave out files that cannot be used, and list them")
    group: str | None = Field(
        None,
        description="keep recordings of one group in one split: 'folder' (the first of their path), 'parent' "
        "(the folder of the file), or the name of a label",
    )
    label_fields: tuple[str, ...] = Field(
        (), description="fields of the .json beside each file in a tar shard that are labels of the recording"
    )
    identities: tuple[str, ...] = Field(
        (),
        description="labels that together name an identity, for a method that learns it from all its sequences",
    )
    identity_frames: int = Field(
        16,
        ge=1,
        le=LONGEST_CLIP,
        description="frames of an identity that come with each sequence, where identities are named",
    )
    identity_sequences: int = Field(
        2, ge=1, le=LONGEST_CLIP, description="sequences of the identity that these frames are taken from"
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="the modality's own settings (frame rate, mel bins, columns, …)"
    )

    @field_validator("label_fields", mode="before")
    @classmethod
    def _texts(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value  # label_fields=speaker on a command line

    @field_validator("frame_shape")
    @classmethod
    def _positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if value and min(value) < 1:
            raise ValueError("every dimension of a frame must be at least 1")
        if math.prod(value) > _LARGEST_FRAME:
            raise ValueError(f"a frame of {math.prod(value)} numbers; allowed: {_LARGEST_FRAME}")
        return value


class CodecConfig(Config):
    """The frame codec in front of the model."""

    name: str = Field("identity", description="'identity', or one that the modality offers")
    path: str | None = Field(None, description="folder with the codec's weights")


class PriorConfig(Config):
    """The prior that `seqdis prior fit` trains on a model's factors."""

    kind: str = Field("latent_ddim", description="an installed kind of prior")
    options: dict[str, Any] = Field(
        default_factory=dict, description="settings of the prior that differ from its defaults"
    )


class RampConfig(Config):
    """The course of a scheduled value within a stage."""

    start: float = Field(description="value at the first step of the stage")
    end: float = Field(description="value at the last step of the stage, and after it")
    kind: RampKind = Field(
        "linear",
        description="equal differences (linear), equal ratios (geometric), or equal differences of 1/value (harmonic)",
    )
    via: tuple[tuple[float, float], ...] = Field(
        (),
        max_length=64,
        description="values in between, each (share of the stage, value); shares rise between 0 and 1",
    )

    @model_validator(mode="after")
    def _exists(self) -> Self:
        problem = ramp_problem(self.start, self.end, self.kind, self.via)
        if problem is not None:
            raise ValueError(problem)
        return self


class StageConfig(Config):
    """One stage of a training that has several."""

    name: str = Field(description="name of a stage that the method has, such as 'frames' of vdsm")
    epochs: int | None = Field(
        None, ge=1, le=LONGEST, description="length of the stage in passes over the data; give this or steps"
    )
    steps: int | None = Field(
        None,
        ge=1,
        le=LONGEST,
        description="length of the stage in optimiser steps; takes precedence over epochs",
    )
    rates: dict[str, float] = Field(
        default_factory=dict, description="factors on lr of the method's parameter groups; 1 where not named"
    )
    frozen: tuple[str, ...] = Field((), description="parameter groups that are not trained in this stage")
    ramps: dict[str, RampConfig] = Field(
        default_factory=dict, description="values of the method that change during the stage, by name"
    )

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.steps is None and self.epochs is None:
            raise ValueError(f"stage {self.name!r} needs steps or epochs")
        if any(rate < 0 for rate in self.rates.values()):
            raise ValueError(f"stage {self.name!r} has a negative rate: {self.rates}")
        return self

    def length(self, steps_per_epoch: int) -> int:
        """Optimiser steps of the stage."""
        return self.steps if self.steps is not None else (self.epochs or 0) * steps_per_epoch


class TrainConfig(Config):
    """The settings of the optimisation, and of the files written meanwhile."""

    epochs: int | None = Field(None, ge=1, le=LONGEST, description="passes over the data; give this or steps")
    steps: int | None = Field(
        None,
        ge=1,
        le=LONGEST,
        description="optimiser steps; takes precedence over epochs and the lengths of stages",
    )
    stages: tuple[StageConfig, ...] = Field(
        (), description="parts of a run, in order; their lengths are the run's unless steps is given"
    )
    batch_size: int = Field(
        16, ge=1, le=LONGEST, description="sequences a step, over all processes and accumulation"
    )
    accumulate: int = Field(1, ge=1, le=LONGEST, description="micro-batches that a step is split into")
    lr: float = Field(1e-4, gt=0)
    weight_decay: float = Field(1e-5, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    warmup_steps: int | None = Field(
        None, ge=0, le=LONGEST, description="linear warm-up; one epoch when omitted"
    )
    schedule: Literal["cosine", "constant"] = "cosine"
    grad_clip: float | None = Field(1.0, gt=0, description="largest global gradient norm")
    ema_decay: float = Field(
        0.9999, ge=0, lt=1, description="decay of the averaged weights; warmed up as (1+n)/(10+n)"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "fp32",
        description="number format of the networks; 'auto' is bf16 where the hardware computes in it, else fp32",
    )
    compile: bool = Field(False, description="torch.compile the loss")
    workers: int | None = Field(
        None,
        ge=0,
        le=DEEPEST,
        description="loader processes that read ahead; when omitted, none for data in memory, else up to 4",
    )
    seed: int = Field(0, ge=0)
    log_every: int = Field(20, ge=1, le=LONGEST, description="steps between lines of the log")
    eval_every: int = Field(
        1000, ge=1, le=LONGEST, description="steps between validation losses and previews"
    )
    patience: int | None = Field(
        None,
        ge=1,
        le=LONGEST,
        description="validations without a lower loss after which the run ends, with the best weights; "
        "all steps and the last weights when omitted",
    )
    save_every: int = Field(1000, ge=1, le=LONGEST, description="steps between checkpoints")
    keep: int = Field(2, ge=1, le=LONGEST, description="number of newest checkpoints kept, besides the best")


class RunConfig(Config):
    """The complete configuration of a run, from which its model can be built and trained again."""

    format: Literal[2] = 2
    preset: str
    modality: str
    method: str
    data: DataConfig
    codec: CodecConfig = CodecConfig()
    model: SerializeAsAny[Config]
    train: TrainConfig = TrainConfig()
    prior: PriorConfig = PriorConfig()

    @classmethod
    def from_preset(cls, name: str, /, **changes: Any) -> RunConfig:
        """A preset with some of its keys changed, such as ``from_preset("diffsda-sprites32", static_dim=64)``.

        Args:
            name: The name of an installed preset.
            changes: Values by key, as :func:`change_config` takes them; a path goes as ``**{"train.steps": 100}``.

        Raises:
            InputError: The preset or a key is unknown, a key is ambiguous, or a value is out of range.
        """
        return change_config(get_preset(name), changes)
