"""A script that measures a run, with options of its own file."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seqdis.core.cli.options import Data, Device, RunFolder
from seqdis.core.cli.script import run_script, script_command
from seqdis.core.metric import Metrics
from seqdis.core.run_lock import writing_to
from seqdis.eval.cli.records import save_result
from seqdis.eval.cli.runs import open_run

__all__ = ["evaluation_script"]


def evaluation_script(
    measure: Callable[..., Metrics], *, modality: str, out: str, headline: Sequence[str] = ()
) -> None:
    """Be the command ``python evaluate.py RUN --data FOLDER --out FILE --name NAME --device NAME``, and exit.

    The figures are printed, and written with what they were measured of; the file's docstring is its help.

    Args:
        measure: A function of an :class:`~seqdis.eval.engine.open_run.OpenRun` that gives the metrics. What else it
            takes becomes further options.
        modality: Modality whose runs are measured.
        out: The JSON file where ``--out`` is not given.
        headline: Names of the metrics that an overview shows, at most three.
    """
    file = Path(out)

    def main(
        run: RunFolder,
        data: Data = None,
        out: Path = file,
        name: str | None = None,
        device: Device = "cpu",
        **options: Any,
    ) -> None:
        with writing_to(out):
            opened = open_run(run, data=data, device=device, modality=modality)
            metrics = measure(opened, **options)
            save_result(opened, metrics, out, name=name, command=script_command(), headline=headline)

    common = list(inspect.signature(main, eval_str=True).parameters.values())[:-1]
    further = list(inspect.signature(measure, eval_str=True).parameters.values())[1:]
    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in (*common, *further)]
    main.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    main.__annotations__ = {p.name: p.annotation for p in parameters}
    run_script(main)
