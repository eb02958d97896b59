"""``seqdis prior``: the distribution of a trained model's factors."""

from __future__ import annotations

import shlex
import time
from typing import Annotated

import typer

from seqdis.core.capabilities import codebook_of, decoded_part
from seqdis.core.cli.options import Data, Device, Json, RunFolder, Seed
from seqdis.core.cli.output import print_json, print_line, progress_bar
from seqdis.core.errors import InputError

__all__ = ["fit", "prior"]

prior = typer.Typer(
    no_args_is_help=True, help="Learn how a model's factors are distributed, to draw new ones."
)


@prior.callback()
def _group() -> None:
    """Learn how a model's factors are distributed, to draw new ones."""


@prior.command()
def fit(
    run: RunFolder,
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE", show_default=False, help="Changes to the prior's settings, e.g. epochs=100."
        ),
    ] = None,
    kind: Annotated[
        str | None,
        typer.Option(
            "--kind", show_default=False, help="An installed kind of prior; the preset's when omitted."
        ),
    ] = None,
    data: Data = None,
    seed: Seed = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace the prior that the run has.")] = False,
    device: Device = None,
    as_json: Json = False,
) -> None:
    """Encode the training split and fit a prior to its factors: RUN/prior.

    `seqdis sample`, `seqdis swap` with one input, and `seqdis traverse` draw from it.
    """
    from seqdis.core.analysis.encode import encode_dataset
    from seqdis.core.cli.model import config_of, load_model
    from seqdis.core.config import read_overrides
    from seqdis.core.priors.store import PRIOR_FOLDER, get_prior, model_digest, prior_config
    from seqdis.core.registry import build_dataset

    started = time.perf_counter()
    out = run / PRIOR_FOLDER
    if out.exists() and not force:
        raise InputError(f"{out}: is there already; add --force to replace it")
    model = load_model(run, device=device)
    config = config_of(model)
    chosen = kind or config.prior.kind
    changes = {"seed": seed, **read_overrides(overrides or [])}
    settings = prior_config(config.prior, chosen, changes)
    train_set = build_dataset(config.modality, config.data, "train", root=data, seed=config.train.seed)
    with progress_bar("encoding", show=not as_json) as progress:
        factors = decoded_part(model, encode_dataset(model, train_set, progress=progress))
    fitted = get_prior(chosen).for_factors(
        settings, factors, codebook=codebook_of(model), device=model.device
    )
    with progress_bar("fitting", show=not as_json) as progress:
        losses = fitted.fit(factors, progress=progress)
    words = ["seqdis", "prior", "fit", str(run), *(overrides or []), "--kind", chosen, "--seed", str(seed)]
    about = {
        "model_sha256": model_digest(run),
        "command": shlex.join([*words, *(["--data", str(data)] if data else [])]),
        "sequences": len(factors),
        "device": str(model.device),
        "seconds": round(time.perf_counter() - started, 1),
    }
    fitted.save(out, about=about)
    summary = {
        "out": str(out),
        "kind": chosen,
        "sequences": len(factors),
        "first_loss": float(losses[0]),
        "last_loss": float(losses[-1]),
        "wall_seconds": time.perf_counter() - started,
    }
    if as_json:
        print_json(summary)
    else:
        print_line(
            f"{out}: {chosen} fitted to {len(factors)} sequences, loss {losses[0]:.3g} to {losses[-1]:.3g}; "
            f"see also `seqdis sample {run} -n 16`"
        )
