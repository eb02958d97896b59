"""What is left of a training step once the gradients are there: clipping, AdamW and EMA, in each of torch's forms.

    python benchmarks/weight_update.py --json weight_update.json

The forms take turns on the same weights, so that a busy machine slows all of them alike; ``ours`` is what the trainer
uses, ``peer`` another form. The last row of a preset has a whole step as its peer: its ratio is the share of the step.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from timing.turns import seconds_in_turns
from torch import Tensor
from torch.optim import AdamW

from seqdis.core.config import apply_overrides
from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.data.loader import training_batches
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.core.training import Trainer
from seqdis.core.training.devices import make_accelerator
from seqdis.core.training.run_folder import RunFolder

PRESETS = ("diffsda-sprites32", "divid-sprites32", "vdsm-sprites32", "bcd-sprites32")
ENDLESS = 10**9


def trainer_of(preset: str, device: str, scratch: Path) -> tuple[Trainer, Callable[[], object]]:
    """A trainer on random clips of the preset's shape, and its next step."""
    config = apply_overrides(get_preset(preset), [f"train.steps={ENDLESS}", "train.compile=false"])
    size = config.train.batch_size
    clips = torch.rand(
        (4 * size, config.data.length, *config.data.frame_shape), generator=torch.Generator().manual_seed(0)
    )
    data = ArraySequences(clips)
    trainer = Trainer(
        config,
        RunFolder(scratch),
        train_set=data,
        val_set=None,
        accelerator=make_accelerator(config.train, device),
    )
    trainer.module.train()
    batches = training_batches(data, trainer.plan, start=0, stop=ENDLESS)
    numbers = itertools.count(1)
    return trainer, lambda: trainer.step(next(numbers), batches)


def averages_by_copies(averages: list[Tensor], weights: list[Tensor], decay: float) -> None:
    """The plain formula, one parameter after the other, each by way of two new tensors."""
    for average, weight in zip(averages, weights, strict=True):
        average.copy_(decay * average + (1 - decay) * weight)


def measure(preset: str, *, turns: int, device: str, scratch: Path) -> list[BenchmarkRow]:
    """Milliseconds of every form, on the gradients of one step."""
    trainer, step = trainer_of(preset, device, scratch)
    step()
    weights = [p for p in trainer.module.parameters() if p.grad is not None]
    averages = [p.detach().clone() for p in weights]
    detached = [p.detach() for p in weights]
    forms = {
        form: AdamW(weights, lr=1e-9, **{"foreach": False, "fused": False} | choice)  # type: ignore[arg-type]
        for form, choice in {"loop": {}, "foreach": {"foreach": True}, "fused": {"fused": True}}.items()
    }
    grad_clip = trainer.config.train.grad_clip or torch.inf
    clip = partial(trainer.accelerator.clip_grad_norm_, weights, grad_clip)

    def tail() -> None:
        clip()
        forms["fused"].step()
        trainer.ema.update(9)

    runs: dict[str, Callable[[], object]] = {f"AdamW {name}": o.step for name, o in forms.items()}
    runs |= {
        "EMA copies": partial(averages_by_copies, averages, detached, 0.9),
        "EMA": partial(trainer.ema.update, 9),
        "tail": tail,
        "step": step,
    }
    taken = {
        name: 1000 * statistics.median(times) for name, times in seconds_in_turns(runs, turns=turns).items()
    }
    count = f"{preset}, {len(weights)} parameters"
    rows = [
        BenchmarkRow(
            case=f"{count}: AdamW fused, beside {form}",
            unit="ms",
            ours=taken["AdamW fused"],
            peer=taken[f"AdamW {form}"],
        )
        for form in ("foreach", "loop")
    ]
    rows.append(
        BenchmarkRow(
            case=f"{count}: EMA foreach, beside copies",
            unit="ms",
            ours=taken["EMA"],
            peer=taken["EMA copies"],
        )
    )
    rows.append(
        BenchmarkRow(
            case=f"{count}: clipping, AdamW and EMA, beside the whole step",
            unit="ms",
            ours=taken["tail"],
            peer=taken["step"],
        )
    )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--presets", nargs="+", default=PRESETS)
    parser.add_argument("--turns", type=int, default=15)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    rows: list[BenchmarkRow] = []
    for preset in options.presets:
        with tempfile.TemporaryDirectory() as scratch:
            for row in measure(preset, turns=options.turns, device=options.device, scratch=Path(scratch)):
                rows.append(row)
                print(f"{row.case:80} {row.ours:8.2f} of {row.peer:8.2f} ms   × {row.ratio:.3f}", flush=True)
    if options.json:
        benchmark_record(rows, device=device_name(options.device)).save(options.json)


if __name__ == "__main__":
    main()
