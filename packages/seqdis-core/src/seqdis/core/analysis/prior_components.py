"""Principal components of a run's prior, and which held-out labels vary along them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from seqdis.core.analysis.encode import encode_dataset
from seqdis.core.analysis.principal import PrincipalComponents, label_association, principal_components
from seqdis.core.data.subset import Subset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.factors import Side
from seqdis.core.metric import Estimate
from seqdis.core.pretrained import config_of
from seqdis.core.priors.store import PRIOR_FOLDER, open_prior
from seqdis.core.progress import Progress
from seqdis.core.registry import build_dataset
from seqdis.core.remembered_data import data_of_run
from seqdis.core.run_lock import writing_to

__all__ = ["DRAWS", "component_rows", "held_out_association", "prior_components"]

DRAWS = 2**15
"""Samples of the prior that the components are computed from (DiffSDA, Sec. 4.3)."""

LABELLED = 1024
"""Held-out sequences that labels are compared on, at most."""


def prior_components(
    run: Path, model: Disentangler, factor: Side, *, progress: Progress | None = None
) -> PrincipalComponents:
    """Principal components of :data:`DRAWS` samples of a run's prior.

    They are stored beside a fitted prior and read from there the next time; fitting the prior again
    removes them with it.

    Raises:
        FolderInUseError: Another process writes into the run, where they are not stored yet.
        InputError: The run has no prior, or it belongs to other weights.
    """
    prior, folder = open_prior(run, model), run / PRIOR_FOLDER
    stored = folder / f"components-{factor}.safetensors"
    if stored.is_file():
        return PrincipalComponents.load(stored)
    kept = folder.is_dir()  # a prior that was learnt with the model has no folder
    with writing_to(*([stored] if kept else [])):
        drawn = prior.sample(DRAWS, generator=torch.Generator().manual_seed(0), progress=progress)
        components: dict[Side, PrincipalComponents] = {
            "static": principal_components(drawn, "static"),
            "dynamic": principal_components(drawn, "dynamic"),
        }
        for name, value in components.items() if kept else ():
            value.save(folder / f"components-{name}.safetensors")
    return components[factor]


def held_out_association(
    run: Path, model: Disentangler, components: PrincipalComponents, root: Path | None = None
) -> tuple[Mapping[str, Sequence[Estimate]], str]:
    """Association of the test split's labels with every component, or the reason why there is none.

    Args:
        run: Folder of the run, which may remember where its data lie.
        model: Model that was loaded from this folder.
        components: Principal components of draws of the model's prior.
        root: The dataset's folder; the one that the run was trained on when omitted, as
            :func:`~seqdis.core.remembered_data.data_of_run` finds it.

    Returns:
        The result of :func:`label_association` and an empty reason; or an empty mapping and the reason.
    """
    config = config_of(model)
    try:
        root = data_of_run(run, config, root)
        dataset = build_dataset(config.modality, config.data, "test", root=root, seed=config.train.seed)
    except InputError as error:
        return {}, f"not compared: {error}"
    if not dataset.labels:
        return {}, "the data carry none"
    order = torch.randperm(len(dataset), generator=torch.Generator().manual_seed(0))[:LABELLED].tolist()
    chosen = Subset(dataset, sorted(order))
    return label_association(components, encode_dataset(model, chosen), chosen.all_labels()), ""


def component_rows(
    components: PrincipalComponents, labels: Mapping[str, Sequence[Estimate]], numbers: Sequence[int]
) -> list[dict[str, Any]]:
    """One record a component: the variance it explains, alone and with those before it, and its labels.

    Args:
        components: All principal components.
        labels: Association with every component by label, as :func:`held_out_association` gives it.
        numbers: Numbers of the components to report, from 0.
    """
    explained = components.explained.tolist()
    return [
        {
            "component": number,
            "explained": explained[number],
            "cumulative": sum(explained[: number + 1]),
            "labels": {
                name: {"value": metrics[number].value, "chance": metrics[number].chance}
                for name, metrics in labels.items()
            },
        }
        for number in numbers
    ]
