"""``seqdis eval priors``: does it matter that static and dynamic factors are drawn together?"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from seqdis.core.capabilities import decoded_part
from seqdis.core.cli.options import Data, Device, Json, RunFolder, SamplerName, SamplerSteps
from seqdis.core.cli.output import print_json, print_line, print_table, progress_bar
from seqdis.core.errors import InputError
from seqdis.eval.cli.run import judge_of, record_of, splits_of

__all__ = ["priors"]


def priors(
    run: RunFolder,
    out: Annotated[
        Path, typer.Option("--out", show_default=False, help="The JSON file: results/prior-NAME.json.")
    ],
    count: Annotated[
        int, typer.Option(min=2, help="Clips for each prior and seed; half of the test split at most.")
    ] = 512,
    seeds: Annotated[int, typer.Option(min=1, help="Each fits and draws anew.")] = 3,
    steps: SamplerSteps = None,
    sampler: SamplerName = None,
    data: Data = None,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Fit a dependent and an independent prior, and compare what they generate (DiffSDA, App. G.1).

    The Fréchet distance to real held-out clips in a judge's feature space, instead of the paper's FVD.
    """
    import torch

    from seqdis.core.analysis.encode import encode_dataset
    from seqdis.core.cli.model import load_model
    from seqdis.core.pretrained import config_of
    from seqdis.core.priors.latent_ddim_config import LatentDDIMConfig
    from seqdis.core.priors.store import prior_config
    from seqdis.eval.engine.seeds import mean_over_seeds
    from seqdis.eval.metrics.frechet import frechet_score
    from seqdis.eval.protocols.priors import compare_priors, judge_features

    started = time.perf_counter()
    model = load_model(run, device=device, steps=steps, sampler=sampler)
    config = config_of(model)
    settings = prior_config(config.prior, "latent_ddim", {})
    if not isinstance(settings, LatentDDIMConfig):
        raise InputError(f"{run}: settings of another prior than the latent DDIM")
    train_set, test_set = splits_of(config, data)
    if not test_set.labels:
        raise InputError(f"{run}: its data carry no labels, from which a judge learns its features")
    judge, accuracy = judge_of(run, model, config.train.seed, (train_set, test_set), quiet=as_json)
    with progress_bar("encoding", show=not as_json) as progress:
        known = decoded_part(model, encode_dataset(model, train_set, progress=progress))
    # Two halves of the test split: one to compare with, the other to show what real clips reach. Small sets raise the
    # distance, so that no more clips are generated than there are to compare with.
    order = torch.randperm(len(test_set), generator=torch.Generator().manual_seed(0)).tolist()
    size = min(count, len(test_set) // 2)
    real, floor = (
        torch.cat([
            judge_features(judge, test_set.fetch(half[i : i + 256]).x) for i in range(0, size, 256)
        ])
        for half in (order[:size], order[size : 2 * size])
    )  # fmt: skip
    with progress_bar("generating", show=not as_json) as progress:
        found = compare_priors(
            model, judge, known, real, settings, seeds=range(seeds), count=size, progress=progress
        )
    metrics = {"judge_accuracy": accuracy.metric()}
    for kind, each in found.items():
        metrics[f"frechet_{kind}"] = mean_over_seeds([{"frechet": metric} for metric in each])["frechet"]
        metrics |= {f"frechet_{kind}_seed{seed}": metric for seed, metric in enumerate(each)}
    metrics["frechet_real"] = frechet_score(floor, real)
    words = ["seqdis", "eval", "priors", str(run), "--count", str(count), "--seeds", str(seeds)]
    words += [] if steps is None else ["--steps", str(steps)]
    words += [] if sampler is None else ["--sampler", sampler]
    record = record_of(
        out, config, metrics, words=words, data=data, seed=0, device=model.device, started=started
    )
    if as_json:
        print_json(record.model_dump(mode="json"))
        return
    print_table(
        "priors", ["metric", "value"], [[name, f"{metric.value:.4g}"] for name, metric in metrics.items()]
    )
    print_line(f"written: {out}")
