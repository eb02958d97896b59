"""One picture of the same swaps by several models.

```
python -m seqdis.eval.report.same_swaps sprites32-divid sprites32-dsvae --count 3 --out swaps.png
```
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from seqdis.core.analysis import fixed_pairs
from seqdis.core.errors import InputError
from seqdis.core.media import draw_picture
from seqdis.core.modality import Panel
from seqdis.core.named_models import find_run
from seqdis.core.registry import get_modality
from seqdis.eval.cli.runs import open_runs
from seqdis.eval.engine.batches import swaps
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.pairs import listed_pairs

__all__ = ["same_swaps"]


def same_swaps(
    runs: Sequence[OpenRun], pairs: Sequence[tuple[int, int]], *, seed: int = 0
) -> list[list[Panel]]:
    """Panels to look at, a column a pair: who it is, what it does, and a row for the swap by each model.

    Swaps start from fresh noise, where a method decodes from noise, so that they show the factors alone.

    Args:
        runs: Models of the same data; each row has the name of its folder.
        pairs: Test clips that lend the static factor and the dynamics.
        seed: Seed of the methods' draws.

    Returns:
        ``2 + len(runs)`` rows of ``len(pairs)`` panels.
    """
    lenders = (
        runs[0].test_set.fetch([pair[0] for pair in pairs]),
        runs[0].test_set.fetch([pair[1] for pair in pairs]),
    )
    rows = [
        [Panel(title, frames) for frames in lender.x]
        for title, lender in zip(("lends the static factor", "lends the dynamics"), lenders, strict=True)
    ]
    for run in runs:
        (swapped,) = swaps(
            run.model, run.test_set, pairs, noise="fresh", seed=seed, batch_size=max(1, len(pairs))
        )
        rows.append([Panel(run.folder.name, frames) for frames in swapped.frames])
    return rows


def main(arguments: Sequence[str] | None = None) -> int:
    """Draw the picture; the exit code is 0, or 2 for bad input."""
    parser = argparse.ArgumentParser(
        prog="python -m seqdis.eval.report.same_swaps",
        description="Draw the same swaps by several models of one dataset, from fresh noise.",
    )
    parser.add_argument("models", nargs="+", help="folders or names of models")
    parser.add_argument(
        "--pair-list", type=Path, help="file that lists the swaps (default: drawn by the seed)"
    )
    parser.add_argument("--count", type=int, default=3, help="swaps, from the list's front (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the pairs and the draws (default: 0)")
    parser.add_argument("--data", type=Path, help="the folder of the dataset (default: that of the training)")
    parser.add_argument("--out", type=Path, required=True, help="picture to write")
    options = parser.parse_args(arguments)
    try:
        if options.count < 1:
            raise InputError(f"--count {options.count}; at least 1 swap is needed")
        runs = open_runs([find_run(model) for model in options.models], data=options.data, one_method=False)
        config, clips = runs[0].config, len(runs[0].test_set)
        pairs = (
            fixed_pairs(clips, seed=options.seed, count=options.count)
            if options.pair_list is None
            else listed_pairs(options.pair_list, dataset=config.data.dataset, clips=clips)
        )
        panels = same_swaps(runs, pairs[: options.count], seed=options.seed)
        draw_picture(get_modality(config.modality), options.out, panels, config.data)
    except InputError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
