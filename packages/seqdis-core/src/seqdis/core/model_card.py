"""The card of a model: what it learnt from, how, how well it does, and under which licence its data are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seqdis.core.config import RunConfig
from seqdis.core.metric import Metric
from seqdis.core.registry import get_modality
from seqdis.core.results import ResultRecord
from seqdis.core.run_record import RunRecord

__all__ = ["ModelCard"]


@dataclass(frozen=True)
class ModelCard:
    """The page that lies beside a model.

    Attributes:
        name: Name of the model.
        config: Configuration of its run.
        changes: Settings that differ from the preset's, texts ``key=value``.
        about: Record of its training, as ``run.json`` holds it.
        licence: Licence of the data.
        credit: Whom a work that was made from the data names.
        numbers: Number of its weights.
        dtype: Type in which they are kept.
        records: Results that were measured of it.
    """

    name: str
    config: RunConfig
    changes: Sequence[str]
    about: RunRecord
    licence: str
    credit: str
    numbers: int
    dtype: str
    records: Sequence[ResultRecord]

    def text(self) -> str:
        """The card in Markdown."""
        return "\n".join([*self._head(), *self._training(), *self._figures()]) + "\n"

    def _head(self) -> Iterator[str]:
        config = self.config
        yield f"# {self.name}"
        yield ""
        yield f"A model by {config.method} of the {config.modality} dataset `{config.data.dataset}`."
        yield ""
        yield "```bash"
        suffix = get_modality(config.modality).writes[0]
        yield f"seqdis swap {self.name} --static A{suffix} --dynamic B{suffix} --out swapped{suffix}"
        yield "```"
        yield ""
        yield "```python"
        yield "import seqdis.core"
        yield ""
        yield f'model = seqdis.core.load("{self.name}")'
        yield "```"
        yield ""

    def _training(self) -> Iterator[str]:
        config, about = self.config, self.about
        shape = (config.data.length, *config.data.frame_shape)
        rows = {
            "data": f"`{config.data.dataset}`, sequences of {' × '.join(map(str, shape))}",
            "licence of the data": self.licence,
            "credit": self.credit,
            "preset": f"`{config.preset}`" + "".join(f", `{change}`" for change in self.changes),
            "command": f"`{about.command}`" if about.command else "",
            "seed": str(config.train.seed),
            "training": _training_text(about, config.train.batch_size),
            "weights": f"{self.numbers:,} numbers as {self.dtype}",
        }
        yield "| | |"
        yield "|---|---|"
        for name, value in rows.items():
            if value:
                yield f"| {name} | {value.replace('|', '∣')} |"

    def _figures(self) -> Iterator[str]:
        for record in self.records:
            yield ""
            yield f"## {record.protocol or record.name}{f', {record.mode}' if record.mode else ''}"
            yield ""
            yield f"`{record.command}`"
            yield ""
            if record.noise:
                start = (
                    "fresh noise"
                    if record.noise == "fresh"
                    else f"the noise of the {record.noise} clip, inverted"
                )
                yield f"Swaps of a method that decodes from noise started from {start}."
                yield ""
            yield "| figure | case | value | 95% interval | chance |"
            yield "|---|---|---|---|---|"
            yield from (_row(metric) for metric in record.metrics.values() if metric.ranks)


def _training_text(about: RunRecord, batch_size: int) -> str:
    if about.steps is None:
        return ""
    seconds = "" if about.seconds is None else f", {about.seconds:.0f} s"
    return f"{about.steps} steps of {batch_size} sequences{seconds}, {about.device or 'device not recorded'}"


def _row(metric: Metric) -> str:
    interval = "" if metric.ci95 is None else f"{metric.ci95[0]:.4g} to {metric.ci95[1]:.4g}"
    chance = "" if metric.chance is None else f"{metric.chance:.4g}"
    unit = f" {metric.unit}" if metric.unit and metric.unit != "share" else ""
    return (
        f"| {metric.name} {metric.arrow} | {metric.case} | {metric.value:.4g}{unit} | {interval} | {chance} |"
    )
