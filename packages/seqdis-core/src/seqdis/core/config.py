"""Typed configurations, which presets build, ``config.json`` stores and overrides change."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    ValidationError,
    field_validator,
    model_validator,
)

from seqdis.core.errors import InputError

if TYPE_CHECKING:
    from seqdis.core.kind_config import KindConfig

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


C = TypeVar("C", bound=BaseModel)


class Config(BaseModel):
    """Base of every configuration: immutable, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class DataConfig(Config):
    """The dataset and the shape of its sequences."""

    dataset: str = Field(description="a dataset's name (`seqdis list`), or 'folder': files of the user's own")
    length: int = Field(ge=1, description="steps of a sequence, V")
    frame_shape: tuple[int, ...] = Field(description="shape of one frame in natural units")
    normalize: Literal["global", "channel"] = Field("global", description="scope of mean and std")
    pick: Literal["window", "spread"] = Field(
        "window", description="training views of longer recordings: consecutive steps, or any steps in order"
    )
    repeats: int = Field(1, ge=1, description="visits of each recording in an epoch")
    identities: tuple[str, ...] = Field(
        (), description="labels that name an identity, for a method that learns it from all its sequences"
    )
    options: dict[str, Any] = Field(
        default_factory=dict, description="the modality's own settings (frame rate, mel bins, columns, …)"
    )

    @field_validator("frame_shape")
    @classmethod
    def _positive(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or min(value) < 1:
            raise ValueError("every dimension of a frame must be at least 1, and there must be one")
        return value


class CodecConfig(Config):
    """The frame codec in front of the model."""

    name: str = Field("identity", description="'identity', or one that the modality offers")
    path: str | None = Field(None, description="folder with the codec's weights")


class PriorConfig(Config):
    """The prior that `seqdis prior fit` trains on a model's factors."""

    kind: str = Field("latent_ddim", description="an installed kind of prior")
    options: dict[str, Any] = Field(
        default_factory=dict, description="its own settings where they differ from its defaults"
    )


class RampConfig(Config):
    """The course of a scheduled value within a stage."""

    start: float = Field(description="at the first step of the stage")
    end: float = Field(description="at its last step, and after it")
    kind: Literal["linear", "geometric"] = "linear"

    @model_validator(mode="after")
    def _exists(self) -> Self:
        if self.kind == "geometric" and min(self.start, self.end) <= 0:
            raise ValueError(
                f"a geometric ramp goes between positive values; got {self.start} and {self.end}"
            )
        return self


class StageConfig(Config):
    """One stage of a training that has several."""

    name: str = Field(description="one of the method's own stages, which it is told when it begins")
    epochs: int | None = Field(None, ge=1, description="its length; give this or steps")
    steps: int | None = Field(None, ge=1, description="its length in optimiser steps; wins over epochs")
    rates: dict[str, float] = Field(
        default_factory=dict, description="factors on lr of the method's parameter groups; 1 where not named"
    )
    frozen: tuple[str, ...] = Field((), description="parameter groups that do not learn")
    ramps: dict[str, RampConfig] = Field(
        default_factory=dict, description="values of the method that move while the stage lasts"
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

    epochs: int | None = Field(None, ge=1, description="passes over the data; give this or steps")
    steps: int | None = Field(None, ge=1, description="optimiser steps; wins over epochs and stages")
    stages: tuple[StageConfig, ...] = Field(
        (), description="parts of a run, in order; their lengths are the run's unless steps is given"
    )
    batch_size: int = Field(16, ge=1, description="sequences a step, over all processes and accumulation")
    accumulate: int = Field(1, ge=1, description="micro-batches that a step is split into")
    lr: float = Field(1e-4, gt=0)
    weight_decay: float = Field(1e-5, ge=0)
    betas: tuple[float, float] = (0.9, 0.999)
    warmup_steps: int | None = Field(None, ge=0, description="linear warm-up; one epoch when omitted")
    schedule: Literal["cosine", "constant"] = "cosine"
    grad_clip: float | None = Field(1.0, gt=0, description="largest global gradient norm")
    ema_decay: float = Field(
        0.9999, ge=0, lt=1, description="of the averaged weights; warmed up as (1+n)/(10+n)"
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "fp32", description="of the networks; 'auto' is bf16 where the hardware computes in it, else fp32"
    )
    compile: bool = Field(False, description="torch.compile the loss")
    workers: int = Field(0, ge=0, description="loader processes; 0 suits data in memory")
    seed: int = Field(0, ge=0)
    log_every: int = Field(20, ge=1, description="steps")
    eval_every: int = Field(1000, ge=1, description="steps between validation losses and previews")
    patience: int | None = Field(
        None,
        ge=1,
        description="validations without a lower loss after which the run ends, with the best weights; "
        "all steps and the last weights when omitted",
    )
    save_every: int = Field(1000, ge=1, description="steps between checkpoints")
    keep: int = Field(2, ge=1, description="newest checkpoints kept, besides the best")


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
        from seqdis.core.registry import get_preset

        return change_config(get_preset(name), changes)


def _leaves(config: BaseModel | type[BaseModel]) -> Iterator[str]:
    """The paths of all settings, those of the present kinds of algorithm among them."""
    schema = config if isinstance(config, type) else type(config)
    for name, info in schema.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            inner = kind if isinstance(config, type) else getattr(config, name)
            yield from (f"{name}.{leaf}" for leaf in _leaves(inner))
        else:
            yield info.alias or name


def _first_problem(error: ValidationError, where: str, keys: Sequence[str]) -> InputError:
    problem = error.errors()[0]
    key = ".".join(str(part) for part in problem["loc"]) or "(whole)"
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, keys, n=1)
        hint = f" (did you mean {near[0]!r}?)" if near else ""
        parent = key.rpartition(".")[0]
        siblings = [k for k in keys if k.rpartition(".")[0] == parent] or keys
        return InputError(f"{where}: unknown key {key!r}{hint}; allowed: {', '.join(siblings)}")
    if problem["type"] == "missing":
        return InputError(f"{where}: key {key!r} is missing")
    return InputError(f"{where}: key {key!r} is {problem.get('input')!r}, but: {problem['msg']}")


def parse_config(schema: type[C], values: Mapping[str, Any], *, where: str) -> C:
    """Validate plain values as a configuration.

    Args:
        schema: The configuration's class.
        values: Plain JSON values.
        where: The file or command that the values come from, for the message.

    Raises:
        InputError: A key is unknown, missing or out of range; the message names the first, its value, and
            what is allowed.
    """
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        raise _first_problem(error, where, list(_leaves(schema))) from None


def _read_value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        lowered = text.lower()
        words: dict[str, Any] = {"true": True, "false": False, "none": None}
        if lowered in words:
            return words[lowered]
        if "," in text:
            return [_read_value(part) for part in text.split(",") if part]
        return text


def read_overrides(overrides: Sequence[str]) -> dict[str, Any]:
    """Read ``key=value`` texts as plain values: JSON, a bare word, or a comma-separated list.

    Raises:
        InputError: An override has no ``=``.
    """
    values = {}
    for item in overrides:
        key, equals, text = item.partition("=")
        if not equals:
            raise InputError(f"override {item!r} is not of the form key=value")
        values[key] = _read_value(text)
    return values


def apply_overrides(config: RunConfig, overrides: Sequence[str]) -> RunConfig:
    """Change some keys of a run's configuration, as they are typed on a command line.

    Args:
        config: The configuration to start from.
        overrides: Texts ``key=value``, with a key as in :func:`change_config`. A value is JSON, a bare word,
            or a comma-separated list.

    Raises:
        InputError: A key is unknown or ambiguous, a value is out of range, or a kind lacks a setting that the
            preset has changed.
    """
    return change_config(config, read_overrides(overrides))


def change_config(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """Change some keys of a run's configuration.

    Args:
        config: The configuration to start from.
        changes: Values by key. A key is a path (``train.steps``) or its last part alone where only one path ends
            so (``lr``). Where one changes the ``kind`` of an algorithm (``sampler.kind``), the others name
            settings of the new one; what both have stays as it is.

    Raises:
        InputError: A key is unknown or ambiguous, a value is out of range, or a kind lacks a setting that the
            preset has changed.
    """
    config = _switch_kinds(config, changes)
    values = config.model_dump(mode="json")
    keys = _override_keys(config)
    whole = [
        f"prior.options.{name}" for name in config.prior.options
    ]  # by the full path alone: lr is train.lr
    for key, value in changes.items():
        full = _full_key(key, keys, whole)
        if full is None:
            raise _first_unknown(key, config, keys)
        *parents, last = full.split(".")
        section = values
        for parent in parents:
            section = section[parent]
        section[last] = value
    model = parse_config(type(config.model), values.pop("model"), where="model")
    return parse_config(RunConfig, values | {"model": model}, where="override")


def _override_keys(config: RunConfig) -> list[str]:
    fixed = ("format", "preset", "modality", "method")
    keys = [key for key in _leaves(config) if key not in fixed]
    keys += [f"data.options.{name}" for name in config.data.options]
    return keys + [path for path in _sections(keys) if _kind_section(config, path) is not None]


def _full_key(key: str, keys: Sequence[str], whole: Sequence[str] = ()) -> str | None:
    """The one path that a key means; None if there is none."""
    matches = [k for k in (*keys, *whole) if k == key] or [k for k in keys if k.endswith(f".{key}")]
    if len(matches) > 1:
        raise InputError(f"override key {key!r} is ambiguous; allowed: {', '.join(matches)}")
    return matches[0] if matches else None


def _sections(keys: Sequence[str]) -> list[str]:
    return [key.removesuffix(".kind") for key in keys if key.endswith(".kind")]


def _kind_section(config: RunConfig, path: str) -> KindConfig | None:
    """The settings of one algorithm among several that stand at a path; None if others do."""
    from seqdis.core.kind_config import KindConfig

    section: Any = config
    for name in path.split("."):
        section = getattr(section, name)
    return section if isinstance(section, KindConfig) else None


def _switch_kinds(config: RunConfig, changes: Mapping[str, Any]) -> RunConfig:
    """The configuration with the algorithms that the overrides ask for, before their settings are changed."""
    from seqdis.core.kind_config import switch_kind

    keys = _override_keys(config)
    for key, value in changes.items():
        path, _, last = (_full_key(key, keys) or "").rpartition(".")
        section = _kind_section(config, path) if last == "kind" else None
        if section is not None and value != section.kind:
            try:
                config = _replace(config, path.split("."), switch_kind(section, str(value), strict=True))
            except InputError as error:
                raise InputError(f"override {key}={value}: {error}") from None
    return config


def _replace(config: C, path: Sequence[str], value: Any) -> C:
    name, *rest = path
    return config.model_copy(update={name: _replace(getattr(config, name), rest, value) if rest else value})


def _first_unknown(key: str, config: RunConfig, keys: Sequence[str]) -> InputError:
    parent, _, last = key.rpartition(".")
    path = _full_key(f"{parent}.kind", keys) if parent else None
    section = None if path is None else _kind_section(config, path.removesuffix(".kind"))
    if section is not None:
        return InputError(f"override: {section.unknown_setting(last)}")
    near = difflib.get_close_matches(key, [*keys, *(k.rpartition(".")[2] for k in keys)], n=1)
    hint = f" (did you mean {near[0]!r}?)" if near else ""
    return InputError(f"override: unknown key {key!r}{hint}; allowed: {', '.join(keys)}")
