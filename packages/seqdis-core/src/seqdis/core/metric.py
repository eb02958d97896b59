"""Figures and what is needed to judge them: an estimate, a named metric, and a collection of metrics."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from seqdis.core.base_config import LONGEST
from seqdis.core.config import Config, parse_config
from seqdis.core.errors import InputError

__all__ = ["Direction", "Estimate", "Metric", "Metrics", "NotFiniteFigureError"]

Direction = Literal["higher", "lower"]
MOST_CASES = 1 << 53
"""The largest number of cases behind a figure: that up to which float64 counts."""


class NotFiniteFigureError(InputError):
    """A measured figure is NaN or Inf; the message names the metric."""


class Estimate(Config):
    """One measured figure and what is needed to judge it.

    Attributes:
        value: The figure; accuracies and shares lie in [0, 1].
        unit: Unit of the value: ``"share"``, ``"nats"``, ``"pixels"``, ``"natural²"``, …; empty where there is none.
        direction: Whether higher or lower values are better.
        chance: Value that guessing or the trivial baseline named in ``docs/results.md`` would reach.
        ci95: Lower and upper end of the 95% confidence interval.
        n: Number of independent cases (clips, pairs) behind the value.
        std: Standard deviation of the value over ``seeds`` repetitions (n - 1 in the denominator); ``value`` is then their mean.
        seeds: Number of repetitions, each with a seed of its own, behind the value.
    """

    # A number written as a string, or a bool as a number, is a damaged file rather than a value. One that is not finite
    # is refused where it gets its name.
    model_config = ConfigDict(strict=True, allow_inf_nan=True)

    value: float
    unit: str = ""
    direction: Direction = "higher"
    chance: float | None = None
    # JSON has no tuples: a list of two strict floats is taken.
    ci95: Annotated[tuple[float, float], Field(strict=False)] | None = None
    n: int | None = Field(None, ge=1, le=MOST_CASES)
    std: float | None = Field(None, ge=0)
    seeds: int | None = Field(None, ge=1, le=LONGEST)

    @model_validator(mode="after")
    def _ordered(self) -> Estimate:
        if self.ci95 is not None and self.ci95[0] > self.ci95[1]:
            raise ValueError("ci95 must be (lower, upper)")
        return self

    @property
    def higher_is_better(self) -> bool:
        """Whether the direction is ``"higher"``."""
        return self.direction == "higher"

    @property
    def arrow(self) -> str:
        """``"↑"`` where higher is better, else ``"↓"``."""
        return "↑" if self.higher_is_better else "↓"

    def named(self, name: str, *, role: str, case: str = "") -> Metric:
        """The estimate as a metric of a protocol; see :class:`Metric`.

        Raises:
            NotFiniteFigureError: A number of it is NaN or Inf.
        """
        values = {field: getattr(self, field) for field in Estimate.model_fields}
        for field, value in values.items():
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, float) and not math.isfinite(number):
                    where = f"{name} ({case})" if case else name
                    raise NotFiniteFigureError(
                        f"{where}: its {field} is {number}; only finite figures are written"
                    )
        return Metric(name=name, case=case, role=role, **values)


class Metric(Estimate):
    """An estimate with a name, as ``metrics.json`` and ``results/*.json`` hold it.

    Attributes:
        name: Name of the measured quantity: ``"swap_static_accuracy"``.
        case: Circumstances of the measurement, where a protocol measures one quantity under several: a sampler with
            its steps, a principal component, a run; empty otherwise.
        role: Subject of the figure: ``"judge"``, ``"swap"``, ``"probe"``, ``"reconstruction"``, … Figures of a
            judge or a probe describe; they do not rank models.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    name: str = Field(min_length=1)
    case: str = ""
    role: str = Field(pattern=r"^[a-z][a-z0-9_-]*$")

    @property
    def key(self) -> str:
        """The key of the metric in a collection: its name, or ``<name>@<case>``."""
        return f"{self.name}@{self.case}" if self.case else self.name

    @property
    def ranks(self) -> bool:
        """Whether a better value means a better model."""
        return self.role not in ("judge", "probe")


class Metrics(Mapping[str, Metric]):
    """Metrics in the order in which they are shown, by :attr:`Metric.key`.

    Args:
        metrics: Metrics in the order in which they are shown; of two with the same key the later one counts.
    """

    def __init__(self, metrics: Iterable[Metric] = ()) -> None:
        self._by_key = {metric.key: metric for metric in metrics}

    @classmethod
    def of(cls, estimates: Mapping[str, Estimate], *, role: str, case: str = "") -> Metrics:
        """Estimates by name as metrics of one role and case."""
        return cls(estimate.named(name, role=role, case=case) for name, estimate in estimates.items())

    def __getitem__(self, key: str) -> Metric:
        return self._by_key[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_key)

    def __len__(self) -> int:
        return len(self._by_key)

    def __or__(self, other: Metrics) -> Metrics:
        return Metrics([*self.values(), *other.values()])

    def __repr__(self) -> str:
        return f"Metrics({list(self.values())!r})"

    def select(self, *, role: str | None = None, without: str | None = None) -> Metrics:
        """The metrics of one role, or all but those of one role."""
        return Metrics(m for m in self.values() if role in (None, m.role) and m.role != without)

    def in_case(self, case: str) -> Metrics:
        """The same metrics, all of another case."""
        return Metrics(metric.model_copy(update={"case": case}) for metric in self.values())

    def plain(self) -> list[Metric]:
        """The metrics without a case."""
        return [metric for metric in self.values() if not metric.case]

    def by_case(self) -> dict[str, dict[str, Metric]]:
        """The metrics with a case: by case, then by name."""
        table: dict[str, dict[str, Metric]] = {}
        for metric in self.values():
            if metric.case:
                table.setdefault(metric.case, {})[metric.name] = metric
        return table

    @classmethod
    def parse(cls, values: Any, *, where: str) -> Metrics:
        """Metrics from a JSON list.

        Raises:
            InputError: The value is no list of metrics, or an entry has a key that is unknown, missing or out of range.
        """
        if not isinstance(values, list):
            raise InputError(f"{where}: got {type(values).__name__}; allowed: a list of metrics")
        return cls(parse_config(Metric, value, where=f"{where}.{i}") for i, value in enumerate(values))
