"""Classes of generated waves from each factor and a linear model, beside MiniRocket and a ridge, labels held out.

    python benchmarks/series_classification.py --json series_classification.json

The factors are learnt without labels, once a fold, and serve all labels. MiniRocket is aeon's; where aeon is not installed
(its latest release wants an older pandas and numba than constraints.txt pins), the peer is left out.
"""

from __future__ import annotations

import argparse
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from seqdis.core.config import DataConfig
from seqdis.core.results import BenchmarkRow, benchmark_record, device_name, installed_versions
from seqdis.timeseries import DisentanglingTransformer
from seqdis.timeseries.datasets.waves import wave_sequences

FACTORS = ("static", "dynamic", "both")
CHANCE = {"level": "1/4", "wiring": "1/4", "course": "1/6"}
Fold = tuple[np.ndarray, np.ndarray]


def minirocket_accuracies(
    X: np.ndarray, labels: dict[str, np.ndarray], folds: list[Fold], seed: int
) -> dict[str, float]:
    """Mean accuracy of each label; X is ``(N, F, T)``."""
    from aeon.classification.convolution_based import MiniRocketClassifier

    scores = {}
    for name, y in labels.items():
        score = [
            MiniRocketClassifier(random_state=seed).fit(X[train], y[train]).score(X[test], y[test])
            for train, test in folds
        ]
        scores[name] = float(np.mean(score))
    return scores


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the record here")
    parser.add_argument("--preset", default="diffsda-waves")
    parser.add_argument("--steps", type=int, default=300, help="of training, a fold")
    parser.add_argument("--series", type=int, default=510, help="up to 512")
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args()
    dataset = wave_sequences(DataConfig(dataset="waves", length=48, frame_shape=(6,)), "test", None, 0)
    X = dataset.fetch(range(options.series)).x.numpy()
    labels = {name: values.numpy()[: len(X)] for name, values in dataset.all_labels().items()}
    folds = list(KFold(options.folds, shuffle=True, random_state=options.seed).split(X))
    scores: dict[tuple[str, str], list[float]] = {}
    for train, test in folds:
        transformer = DisentanglingTransformer(
            preset=options.preset, steps=options.steps, random_state=options.seed, device=options.device
        ).fit(X[train])
        for features in FACTORS:
            transformer.set_params(features=features)
            known, new = transformer.transform(X[train]), transformer.transform(X[test])
            for name, y in labels.items():
                linear = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
                score = linear.fit(known, y[train]).score(new, y[test])
                scores.setdefault((name, features), []).append(score)
    peers: dict[str, float] = {}
    versions = installed_versions() | {"scikit-learn": version("scikit-learn")}
    try:
        versions["aeon"] = version("aeon")
    except PackageNotFoundError:
        print("aeon is not installed: no peer")
    else:
        peers = minirocket_accuracies(X.swapaxes(1, 2), labels, folds, options.seed)
    rows = [
        BenchmarkRow(
            case=f"{options.preset}, {options.steps} steps; {name} (chance {CHANCE[name]}) from {features}, against MiniRocket",
            unit="accuracy",
            ours=float(np.mean(values)),
            peer=peers.get(name),
        )
        for (name, features), values in scores.items()
    ]
    for row in rows:
        print(f"{row.case}: {row.ours:.3f}" + ("" if row.peer is None else f", {row.peer:.3f}"))
    if options.json:
        benchmark_record(rows, device=device_name(options.device), versions=versions).save(options.json)


if __name__ == "__main__":
    main()
