"""Channels-last against the usual layout: one loss and its gradients of the convolutional presets.

    python benchmarks/memory_layout.py --json memory_layout.json

Two copies of one model, in either layout, take turns on the same clips, so that a busy machine slows
both alike. ``ours`` is what the trainer picks on this device, ``peer`` the other one, each the median
over the turns.
"""

from __future__ import annotations

import argparse
import statistics
from functools import partial
from pathlib import Path

import torch
from timing.turns import seconds_in_turns

from seqdis.core.config import RunConfig
from seqdis.core.disentangler import Disentangler
from seqdis.core.pretrained import build_model
from seqdis.core.random import GeneratorStack
from seqdis.core.registry import get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name
from seqdis.core.sequences import Sequences
from seqdis.core.training.devices import picks_channels_last

PRESETS = {
    "cpu": ("diffsda-shapes", "diffsda-sprites32"),
    "cuda": ("diffsda-shapes", "diffsda-sprites32", "diffsda-sprites"),
}
LAYOUTS = {False: torch.contiguous_format, True: torch.channels_last}


def in_layout(config: RunConfig, device: torch.device, *, channels_last: bool) -> Disentangler:
    """The preset's model with the same fresh weights whatever the layout."""
    torch.manual_seed(0)
    model = build_model(config).train().to(device)
    return model.to(memory_format=LAYOUTS[channels_last])  # type: ignore[call-overload]


def loss_and_gradients(model: Disentangler, batch: Sequences) -> None:
    """One loss and its gradients."""
    rows = GeneratorStack.shard(0, len(batch.x), slice(0, len(batch.x)), model.device)
    model.loss(batch, generator=rows).loss.backward()
    model.zero_grad()


def measure(preset: str, *, turns: int, device: torch.device) -> BenchmarkRow:
    """Steps per second of the layout that the trainer picks, and of the other one."""
    config = get_preset(preset)
    models = {layout: in_layout(config, device, channels_last=layout) for layout in LAYOUTS}
    clips = torch.rand(config.train.batch_size, config.data.length, *config.data.frame_shape)
    batch = Sequences(clips, keys=[str(i) for i in range(len(clips))]).to(device)
    names = {False: "usual layout", True: "channels-last"}
    runs = {names[layout]: partial(loss_and_gradients, model, batch) for layout, model in models.items()}
    taken = seconds_in_turns(runs, turns=turns)
    rates = {layout: 1 / statistics.median(taken[name]) for layout, name in names.items()}
    picked = picks_channels_last(models[False])
    return BenchmarkRow(
        case=f"{preset}, {names[picked]} against the other",
        unit="steps_per_s",
        ours=rates[picked],
        peer=rates[not picked],
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--presets", nargs="+", help="those with convolutions by default")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    device, rows = torch.device(options.device), []
    for preset in options.presets or PRESETS[device.type]:
        rows.append(measure(preset, turns=options.turns, device=device))
        print(f"{rows[-1].case:64} {rows[-1].ours:8.2f} steps/s   × {rows[-1].ratio:.2f}", flush=True)
    if options.json:
        benchmark_record(rows, device=device_name(device)).save(options.json)


if __name__ == "__main__":
    main()
