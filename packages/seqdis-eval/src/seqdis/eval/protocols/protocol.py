"""The base class of protocols: a whole measurement of trained runs, found by entry point.

A distribution adds one by an entry point that names a class::

    [project.entry-points."seqdis.protocols"]
    drift = "mypackage.drift:Drift"

``seqdis eval drift RUN`` then measures it, with the options that its ``Options`` declare.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

from seqdis.core.config import Config
from seqdis.core.metric import Metrics
from seqdis.core.starting_noise import NoiseChoice
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.protocols.context import Context
from seqdis.eval.report.blocks import Section

__all__ = ["Protocol"]


class Protocol(ABC):
    """A whole measurement; one instance measures once. Its docstring is the help of its command.

    Attributes:
        name: Name of the protocol, as after ``seqdis eval``.
        requires: Condition of :meth:`applies_to` in words: ``"labels for a judge to learn"``.
        several_runs: Whether the figures of several runs are averaged, compared side by side, or refused.
        draws_from_prior: Whether it draws from the runs' priors; the record then names how they were fitted.
        headline: Metrics that a person looks at first, the most telling first; :meth:`first_metrics` takes three of them.
        noise: Noise that its swaps start from, where a person cannot choose it; None where nothing is swapped.
        Options: Class of the settings that a person may choose; each field with its description is an option of the command.
    """

    name: ClassVar[str]
    requires: ClassVar[str] = ""
    several_runs: ClassVar[Literal["averaged", "compared", "refused"]] = "averaged"
    draws_from_prior: ClassVar[bool] = False
    headline: ClassVar[tuple[str, ...]] = ()
    noise: ClassVar[NoiseChoice | None] = None
    Options: ClassVar[type[Config]] = Config

    def check(self, options: Any, folders: Sequence[Path]) -> None:  # noqa: B027 (most options go together)
        """Refuse options that do not go together, before anything is loaded.

        Raises:
            InputError: The options do not go together.
        """

    def applies_to(self, run: OpenRun) -> bool:
        """Whether a run can be measured, as :attr:`requires` says."""
        return True

    @abstractmethod
    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds."""

    def swap_noise(self, options: Any) -> NoiseChoice | None:
        """The noise that swaps start from under these options: what they choose, else :attr:`noise`."""
        chosen: NoiseChoice | None = getattr(options, "noise", self.noise)
        return chosen

    def first_metrics(self, metrics: Metrics) -> tuple[str, ...]:
        """Names of up to three metrics for an overview: of :attr:`headline`, else the first that rank models."""
        named = {metric.name for metric in metrics.values()}
        chosen = [name for name in self.headline if name in named]
        ranking = dict.fromkeys(metric.name for metric in metrics.values() if metric.ranks)
        return tuple((chosen or list(ranking))[:3])

    def sections(self, context: Context) -> Sequence[Section]:
        """Sections that the page shows beside the figures; asked for after :meth:`measure`."""
        return []

    def remarks(self, context: Context, metrics: Metrics) -> Sequence[str]:
        """Lines to print after the figures."""
        return []
