"""``seqdis prior``: the distribution of a trained model's factors."""

from __future__ import annotations

from typing import Annotated

import typer

from seqdis.core.cli.options import Data, Device, Json, RunFolder, Seed, argument, optional
from seqdis.core.cli.output import print_result
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
        list[str] | None, argument("KEY=VALUE", "Changes to the prior's settings, e.g. epochs=100.")
    ] = None,
    kind: Annotated[
        str | None, optional("An installed kind of prior; the preset's when omitted.", "--kind")
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
    from seqdis.core.analysis.fit_prior import fit_prior_to_run
    from seqdis.core.cli.session import open_session
    from seqdis.core.config import read_overrides
    from seqdis.core.priors.store import PRIOR_FOLDER, get_prior

    out = run / PRIOR_FOLDER
    if out.exists() and not force:
        raise InputError(f"{out}: is there already; add --force to replace it")
    session = open_session(run, device=device, quiet=as_json)
    chosen = kind or session.config.prior.kind
    words = ["seqdis", "prior", "fit", str(run), *(overrides or []), "--kind", chosen, "--seed", str(seed)]
    # A prior that draws nothing while it is fitted has no seed among its settings.
    seeded = {"seed": seed} if "seed" in get_prior(chosen).config_class.model_fields else {}
    fitted = fit_prior_to_run(
        run,
        session.model,
        kind=chosen,
        changes={**seeded, **read_overrides(overrides or [])},
        root=data,
        command=[*words, *(["--data", str(data)] if data else [])],
        bar=session.bar,
    )
    first, last = float(fitted.losses[0]), float(fitted.losses[-1])
    summary = {
        "out": str(out),
        "kind": chosen,
        "sequences": fitted.sequences,
        "first_loss": first,
        "last_loss": last,
        "wall_seconds": fitted.seconds,
    }
    text = f"{out}: {chosen} fitted to {fitted.sequences} sequences, loss {first:.3g} to {last:.3g}; "
    print_result(summary, text + f"see also `seqdis sample {run} -n 16`", as_json=as_json)
