"""Records of measured numbers, as ``metrics.json``, ``results/*.json`` and the benchmarks' files hold them."""

from __future__ import annotations

import functools
import platform
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import ConfigDict, Field, field_serializer, field_validator

from seqdis.core.config import Config, RunConfig, parse_config
from seqdis.core.errors import InputError
from seqdis.core.files import replace_with_json
from seqdis.core.metric import Metrics
from seqdis.core.reading import read_json
from seqdis.core.run_record import LONGEST_TIME
from seqdis.core.starting_noise import NoiseChoice
from seqdis.core.training_record import TrainingRecord
from seqdis.core.worker_processes import usable_cores

__all__ = [
    "BENCHMARK_SCHEMA",
    "RESULT_SCHEMA",
    "SOAK_SCHEMA",
    "BenchmarkRecord",
    "BenchmarkRow",
    "ResultRecord",
    "benchmark_record",
    "device_name",
    "installed_versions",
    "read_schema",
]

RESULT_SCHEMA = "seqdis.result.2"
BENCHMARK_SCHEMA = "seqdis.benchmark.1"
SOAK_SCHEMA = "seqdis.soak.1"

Versions = dict[str, str]
_UNIT = r"^[a-z][a-z0-9_]*$"


class _Strict(Config):
    # A number written as a string, or a bool as a number, is a damaged file rather than a value.
    model_config = ConfigDict(
        strict=True, populate_by_name=True, serialize_by_alias=True, arbitrary_types_allowed=True
    )


class ResultRecord(_Strict):
    """A trained and measured result.

    Attributes:
        name: Name of the result: that of the demo or the preset.
        method: Name of the method, such as ``"diffsda"``.
        dataset: Name of the dataset.
        modality: Name of the modality, such as ``"video"``.
        command: Command line that reproduces the result.
        seed: Seed of the training, the first one where there are several.
        protocol: Name of the protocol that measured it, as in ``seqdis eval NAME``; None for a demo.
        mode: Variant of the protocol: ``"corrected"``, or ``"published"``, as the papers' own code does it.
        device: Name of the device that it ran on, as :func:`device_name` gives it.
        wall_seconds: Time of training and measuring, in seconds.
        versions: Versions of the packages; see :func:`installed_versions`.
        metrics: Measured metrics in the order of the report.
        noise: Noise that its swaps started from; None where nothing was swapped.
        trainings: Trainings behind the figures, several where their figures are averaged or compared.
        headline: Names of up to three metrics that a person looks at first.
    """

    schema_: Literal["seqdis.result.2"] = Field("seqdis.result.2", alias="schema")
    name: str = Field(min_length=1)
    method: str
    dataset: str
    modality: str
    command: str
    seed: int
    protocol: str | None = None
    mode: Literal["corrected", "published"] | None = None
    noise: Literal["dynamic", "static", "fresh"] | None = None
    device: str
    wall_seconds: float = Field(ge=0, le=LONGEST_TIME)
    versions: Versions
    trainings: Annotated[tuple[TrainingRecord, ...], Field(strict=False)] = ()
    headline: Annotated[tuple[str, ...], Field(strict=False, max_length=3)] = ()
    metrics: Metrics

    @field_validator("metrics", mode="plain")
    @classmethod
    def _collected(cls, value: Any) -> Metrics:
        return value if isinstance(value, Metrics) else Metrics.parse(value, where="metrics")

    @field_serializer("metrics")
    def _listed(self, value: Metrics) -> list[dict[str, Any]]:
        return [metric.model_dump(mode="json") for metric in value.values()]

    @classmethod
    def of_run(
        cls,
        config: RunConfig,
        metrics: Metrics,
        *,
        name: str,
        command: str,
        seed: int,
        device: torch.device | str,
        seconds: float,
        trainings: Sequence[TrainingRecord] = (),
        headline: Sequence[str] = (),
        noise: NoiseChoice = "dynamic",
    ) -> ResultRecord:
        """The record of what was measured of a run, here and now.

        Args:
            config: Configuration of the run.
            metrics: The metrics that were measured.
            name: Name of the result.
            command: Command line that reproduces it.
            seed: Seed of the measurement.
            device: Device of the model.
            seconds: Time that it took, in seconds.
            trainings: Trainings behind the figures.
            headline: Names of metrics that a person looks at first; those that were not measured are left out.
            noise: Noise that swaps started from; it is recorded where metrics have the role ``"swap"``.
        """
        return cls(
            name=name,
            method=config.method,
            dataset=config.data.dataset,
            modality=config.modality,
            command=command,
            seed=seed,
            device=device_name(device),
            wall_seconds=round(seconds, 1),
            versions=installed_versions(),
            trainings=tuple(trainings),
            noise=noise if any(metric.role == "swap" for metric in metrics.values()) else None,
            headline=tuple(name for name in headline if name in metrics),
            metrics=metrics,
        )

    def save(self, path: str | Path) -> None:
        """Write it as JSON; the file appears whole or not at all."""
        replace_with_json(Path(path), self.model_dump(mode="json"))

    @classmethod
    def load(cls, path: str | Path) -> ResultRecord:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: The file is missing, is not JSON, is of another schema, or has a key that
                is unknown, missing or out of range.
        """
        values = _read(Path(path), RESULT_SCHEMA)
        if "metrics" in values:
            # One at a time, so that the message lists a metric's own keys.
            values["metrics"] = Metrics.parse(values["metrics"], where=f"{path}: metrics")
        return parse_config(cls, values, where=str(path))


class BenchmarkRow(_Strict):
    """One case of a benchmark: a quantity of ours beside that of the peer.

    Attributes:
        case: The thing that was timed, and its peer, in words.
        unit: Unit that the JSON keys ``ours_<unit>`` and ``peer_<unit>`` end in, ``"ms"`` or ``"frames_per_s"``.
        ours: Quantity measured of this package, in ``unit``.
        peer: Quantity measured of the peer, in ``unit``; None where there is nothing to compare with.
    """

    case: str = Field(min_length=1)
    unit: str = Field(pattern=_UNIT)
    ours: float
    peer: float | None = None

    @property
    def ratio(self) -> float | None:
        """``ours / peer``, or None without a peer (or with one of 0)."""
        return self.ours / self.peer if self.peer else None

    def to_json(self) -> dict[str, Any]:
        """``{case, ours_<unit>, peer_<unit>, ratio}``."""
        return {
            "case": self.case,
            f"ours_{self.unit}": self.ours,
            f"peer_{self.unit}": self.peer,
            "ratio": self.ratio,
        }


class BenchmarkRecord(_Strict):
    """The measurements of one run of a benchmark."""

    device: str
    versions: Versions
    rows: Annotated[tuple[BenchmarkRow, ...], Field(strict=False)]

    def to_json(self) -> dict[str, Any]:
        """``{schema, device, versions, rows}``."""
        rows = [row.to_json() for row in self.rows]
        return {"schema": BENCHMARK_SCHEMA, "device": self.device, "versions": self.versions, "rows": rows}

    def save(self, path: str | Path) -> None:
        """Write it as JSON; the file appears whole or not at all."""
        replace_with_json(Path(path), self.to_json())

    @classmethod
    def load(cls, path: str | Path) -> BenchmarkRecord:
        """Read what :meth:`save` wrote; see :meth:`ResultRecord.load` for errors."""
        values = _read(Path(path), BENCHMARK_SCHEMA)
        del values["schema"]
        rows = values.get("rows")
        if isinstance(rows, list):
            values["rows"] = [_row_values(row, f"{path}: rows.{i}") for i, row in enumerate(rows)]
        return parse_config(cls, values, where=str(path))


def _row_values(row: Any, where: str) -> dict[str, Any]:
    units = (
        [key.removeprefix("ours_") for key in row if key.startswith("ours_")] if isinstance(row, dict) else []
    )
    expected = {"case", "ratio", *(f"{side}_{unit}" for unit in units for side in ("ours", "peer"))}
    if len(units) != 1 or set(row) != expected:
        received = sorted(row) if isinstance(row, dict) else type(row).__name__
        raise InputError(f"{where}: has {received}; allowed: case, ours_<unit>, peer_<unit>, ratio")
    unit = units[0]
    return {"case": row["case"], "unit": unit, "ours": row[f"ours_{unit}"], "peer": row[f"peer_{unit}"]}


def benchmark_record(
    rows: Sequence[BenchmarkRow], *, device: str, versions: Mapping[str, str] | None = None
) -> BenchmarkRecord:
    """The record that a benchmark's ``--json FILE`` writes.

    Args:
        rows: The cases; one measured in two units is two rows.
        device: Name of the device that it ran on, as :func:`device_name` gives it.
        versions: Versions of the packages by name; those of :func:`installed_versions` when omitted.
    """
    return BenchmarkRecord(device=device, versions=dict(versions or installed_versions()), rows=tuple(rows))


def installed_versions() -> Versions:
    """Versions of python, torch, numpy and every installed seqdis package, by name."""
    return dict(_versions(tuple(sys.path)))


@functools.lru_cache(maxsize=4)
def _versions(searched: tuple[str, ...]) -> Versions:
    versions = {"python": platform.python_version()}
    for distribution in distributions():
        name = (distribution.metadata["Name"] or "").lower().replace("_", "-")
        if name in ("torch", "numpy") or name.startswith("seqdis-"):
            # A path that is searched first comes first, and is what an import would find.
            versions.setdefault(name, distribution.version)
    return dict(sorted(versions.items()))


def device_name(device: torch.device | str = "cpu") -> str:
    """A device in words: ``"cpu (2 cores)"``, or the accelerator's name."""
    kind = torch.device(device)
    if kind.type == "cuda":
        return torch.cuda.get_device_name(kind)
    return f"{kind.type} ({usable_cores()} cores)" if kind.type == "cpu" else kind.type


def read_schema(path: Path) -> str:
    """The ``schema`` that a JSON file names.

    Raises:
        InputError: The file is missing, is not JSON, or names no schema.
    """
    return str(_read(path, None)["schema"])


def _read(path: Path, schema: str | None) -> dict[str, Any]:
    values = read_json(path)
    received = values.get("schema") if isinstance(values, dict) else None
    allowed = [schema] if schema else [RESULT_SCHEMA, BENCHMARK_SCHEMA, SOAK_SCHEMA]
    if received == "seqdis.result.1":
        raise InputError(
            f"{path}: schema {received!r} is of an earlier version; "
            "convert it by `python -m seqdis.eval.report.convert_results FILE`"
        )
    if received not in allowed:
        raise InputError(f"{path}: schema {received!r:.80}; this version reads {' and '.join(allowed)}")
    return dict(values)
