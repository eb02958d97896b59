"""A trained model in a folder of its own that can be given away, with a card that says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.files import replace_directory
from seqdis.core.model_card import ModelCard
from seqdis.core.model_files import state_to_save, write_model_files
from seqdis.core.pretrained import config_of, find_model_folder, load
from seqdis.core.registry import get_dataset
from seqdis.core.results import ResultRecord
from seqdis.core.run_record import RunRecord, read_run_record
from seqdis.core.training_record import changed_settings

__all__ = ["CARD", "DTYPES", "RESULTS", "Terms", "publish_model"]

CARD = "README.md"
"""Name of the card in the folder of a model."""
RESULTS = "results"
"""Name of the folder of the results that the card shows."""
DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16, "float32": torch.float32}
"""Types that weights are given away in."""


@dataclass(frozen=True)
class Terms:
    """The terms of the data that a model has learnt from.

    Attributes:
        licence: Licence of the data.
        credit: Whom a work that was made from the data names.
    """

    licence: str = ""
    credit: str = ""


def publish_model(
    run: Path, out: Path, *, dtype: str = "float16", results: Sequence[Path] = (), terms: Terms | None = None
) -> int:
    """Write a run's model with its card into a folder: what :func:`~seqdis.core.load` needs, and nothing else.

    Trained weights are kept as ``dtype``; means, deviations and codebooks stay as they are.

    Args:
        run: Folder of a run or a checkpoint.
        out: Folder of the model, which appears whole or not at all; one that is there is replaced.
        dtype: Type of the weights, one of :data:`DTYPES`.
        results: Files of results that were measured of the run, whose figures the card shows and which lie beside it.
        terms: Terms of the data; those of the dataset where omitted.

    Returns:
        The size of the weights in bytes.

    Raises:
        InputError: The run holds no usable model, a result is of another model, the data may not be published from or
            their terms are not known, or the folder cannot be written.
    """
    source = find_model_folder(run)
    model = load(source)
    config = config_of(model)
    known = _terms_of(model)
    given = terms or Terms()
    said = replace(known, licence=given.licence or known.licence, credit=given.credit or known.credit)
    if not (said.licence and said.credit):
        raise InputError(
            f"{run}: learnt from data of one's own: --licence and --credit say under which licence they are, and whose"
        )
    records = [ResultRecord.load(path) for path in results]
    for path, record in zip(results, records, strict=True):
        if (record.method, record.dataset) != (config.method, config.data.dataset):
            raise InputError(
                f"{path}: measured of {record.method} on {record.dataset}; this is {config.method} on {config.data.dataset}"
            )
    state = _as(dtype, model)
    card = ModelCard(
        name=out.name,
        config=config,
        changes=changed_settings(config),
        about=read_run_record(run) or RunRecord(),
        licence=said.licence,
        credit=said.credit,
        numbers=sum(value.numel() for value in state.values()),
        dtype=dtype,
        records=records,
    )
    with replace_directory(out) as partial:
        write_model_files(model, partial, state)
        (partial / CARD).write_text(card.text(), encoding="utf-8")
        if records:
            (partial / RESULTS).mkdir()
        for path, record in zip(results, records, strict=True):
            record.save(partial / RESULTS / path.name)
    return (out / "model.safetensors").stat().st_size


def _terms_of(model: Disentangler) -> Terms:
    """The terms of a named dataset; empty ones for files of one's own."""
    config = config_of(model)
    if config.data.dataset == "folder":
        return Terms()
    spec = get_dataset(config.modality, config.data.dataset)
    if not spec.derivatives:
        raise InputError(
            f"dataset {spec.name!r}: {spec.licence} allows no derived works; a model of it cannot be given away"
        )
    if spec.folder is None:
        return Terms(licence="none; the data are generated", credit="none")
    return Terms(licence=spec.licence, credit=spec.credit)


def _as(dtype: str, model: Disentangler) -> dict[str, Tensor]:
    """The tensors of a model with its parameters in another type."""
    if dtype not in DTYPES:
        raise InputError(f"unknown type {dtype!r}; allowed: {', '.join(DTYPES)}")
    trained = {name for name, _ in model.named_parameters()}
    return {
        name: value.to(DTYPES[dtype]) if name in trained and value.is_floating_point() else value
        for name, value in state_to_save(model).items()
    }
