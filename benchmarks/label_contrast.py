"""What a label is worth in pixels: squared distances between clips that differ in one label and agree in all others.

    python benchmarks/label_contrast.py --preset s3vae-sprites32 --data FOLDER --json label_contrast.json

A likelihood of standard deviation σ that shows the mean of two classes loses a quarter of their distance over 2σ² nats
a clip, which is what a model gains by telling them apart; ln 2 nats is what it costs to say which it is.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.registry import build_dataset, get_preset
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name


def distances(dataset: SequenceDataset, labels: Mapping[str, Tensor], name: str) -> Tensor:
    """Mean squared distance a clip of each pair of classes, ``(classes, classes)``; NaN where no two clips compare."""
    others = torch.stack([value for other, value in labels.items() if other != name], dim=1)
    _, group = others.unique(dim=0, return_inverse=True)
    classes = len(dataset.labels[name].classes)
    total, count = torch.zeros(classes, classes), torch.zeros(classes, classes)
    order = group.argsort(stable=True)
    for members in order.split(group.bincount().tolist()):
        clips = dataset.fetch(members.tolist()).x.flatten(1)
        for (i, a), (j, b) in itertools.combinations(
            zip(labels[name][members].tolist(), clips, strict=True), 2
        ):
            if i != j:
                total[min(i, j), max(i, j)] += float((a - b).square().sum())
                count[min(i, j), max(i, j)] += 1
    return total / count


def measure(preset: str, data: Path | None, split: str) -> list[BenchmarkRow]:
    """The nearest pair of classes and the mean over all pairs, of every label of the static side."""
    config = get_preset(preset)
    dataset = build_dataset(config.modality, config.data, split, root=data)
    labels, rows = dataset.all_labels(), []
    for name, label in dataset.labels.items():
        if label.factor != "static":
            continue
        found = distances(dataset, labels, name)
        known = ~found.isnan()
        nearest = float(found[known].min())
        i, j = (int(k) for k in (found == nearest).nonzero()[0])
        size = "x".join(map(str, dataset.shape))
        for case, value in (
            (f"{label.classes[i]} and {label.classes[j]}, the nearest", nearest),
            (f"{name}, mean of all pairs", float(found[known].mean())),
        ):
            rows.append(
                BenchmarkRow(
                    case=f"{config.data.dataset} {size}: {case}", unit="squared_distance", ours=value
                )
            )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--preset", default="s3vae-sprites32", help="whose data are compared")
    parser.add_argument("--data", type=Path, help="folder of the dataset")
    parser.add_argument("--split", default="test")
    options = parser.parse_args()
    rows = measure(options.preset, options.data, options.split)
    for row in rows:
        print(f"{row.case:70} {row.ours:8.1f}")
    if options.json:
        benchmark_record(rows, device=device_name(torch.device("cpu"))).save(options.json)


if __name__ == "__main__":
    main()
