"""The readers of models, priors, factors, codes, latents, judges, and of the small files that belong to runs."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from seqdis.core.data.folder_labels import read_folder_labels
from seqdis.core.data.latent_cache import open_latents
from seqdis.core.data.outputs import made_in
from seqdis.core.data.prepared_record import PreparedRecord
from seqdis.core.factors import Factors
from seqdis.core.pretrained import load, read_run_config
from seqdis.core.priors.store import load_prior
from seqdis.core.quantize.stream import read_codes
from seqdis.core.registry import list_methods, list_plugins, list_presets
from seqdis.core.remembered_data import remembered_folder
from seqdis.core.results import ResultRecord
from seqdis.core.training.checkpoint import read_state
from seqdis.core.training.curves import read_curves
from seqdis.core.training.logs import truncate_log
from seqdis.core.training.snapshot import read_tensors
from seqdis.core.training_record import read_training
from seqdis.eval.features.torchscript import load_script
from seqdis.eval.judge.sequence_judge import SequenceJudge
from seqdis.eval.report.training import read_log
from soak.children import start
from soak.readers import Reader
from soak.state_files import write_state

__all__ = ["state_readers"]


@dataclass(frozen=True)
class _Kind:
    """A kind of file: where one lies, and what reads it, given its path.

    Attributes:
        name: Name of the reader.
        path: Path of the whole file below the state's folder; that of its companions is the folder it lies in.
        read: Function that reads it.
        alone: Whether nothing but the file is read.
        program: Whether the file is a program.
    """

    name: str
    path: str
    read: Callable[[Path], object]
    alone: bool = False
    program: bool = False


def state_readers(place: Path) -> list[Reader]:
    """The readers of everything that a command writes and another one reads, for every installed method and prior."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    ended = start(lambda: write_state(place), place / "output.txt", folder=place).wait(300)
    if ended.code != 0:
        raise RuntimeError(f"the whole files of models and runs cannot be made:\n{ended.output}")
    kinds = [*_KINDS, *_of_methods(), *_of_priors(place)]
    readers = [_reader(kind, place) for kind in kinds]
    presets = [json.dumps(build().model_dump(mode="json")).encode() for build in list_presets().values()]
    return [*readers, Reader("configuration of any preset", "config.json", presets, read_run_config)]


def _reader(kind: _Kind, place: Path) -> Reader:
    path = place / kind.path
    return Reader(
        name=kind.name,
        file=path.name,
        samples=[path.read_bytes()],
        read=kind.read,
        folder=None if kind.alone else path.parent,
        program=kind.program,
    )


def _of_methods() -> Sequence[_Kind]:
    """Weights and configuration of a small model of every installed method."""
    return [
        kind
        for method in list_methods()
        for kind in (
            _Kind(f"weights of {method}", f"models/{method}/model.safetensors", _load_model),
            _Kind(f"configuration of {method}", f"models/{method}/config.json", _load_model),
        )
    ]


def _of_priors(place: Path) -> Sequence[_Kind]:
    """Both files of every installed kind of prior that factors here can be fitted by."""
    there = [kind for kind in list_plugins("priors") if (place / "priors" / kind).is_dir()]
    return [
        kind
        for name in there
        for kind in (
            _Kind(f"weights of prior {name}", f"priors/{name}/prior.safetensors", _load_prior),
            _Kind(f"settings of prior {name}", f"priors/{name}/prior.json", _load_prior),
        )
    ]


def _load_model(path: Path) -> object:
    return load(path.parent)


def _load_prior(path: Path) -> object:
    return load_prior(path.parent)


def _read_latents(path: Path) -> object:
    """All frames of a folder of latents; what was read before is read anew, however soon it has changed."""
    from seqdis.core.data import latent_cache, latent_shard

    latent_cache._open.cache_clear()
    latent_shard._opened.cache_clear()
    return [recording.whole() for recording in open_latents(path.parent).recordings]


def _read_log(path: Path) -> object:
    found = read_log(path.parent), read_curves(path)
    truncate_log(path, 10)
    return found


_CHECKPOINT = "run/checkpoints/step-00000008"
_KINDS: tuple[_Kind, ...] = (
    _Kind("code stream, fixed", "codes/fixed.sqc", read_codes, alone=True),
    _Kind("code stream, entropy", "codes/entropy.sqc", read_codes, alone=True),
    _Kind("factors", "factors.safetensors", Factors.load, alone=True),
    _Kind("judge", "judge.safetensors", SequenceJudge.load, alone=True),
    _Kind("judge, script", "judge.pt", load_script, alone=True, program=True),
    _Kind("index of latents", "latents/index.json", _read_latents),
    _Kind("shard of latents", "latents/000000.safetensors", _read_latents),
    _Kind("index of factors", "shards/index.json", _read_latents),
    _Kind(
        "state of a training", f"{_CHECKPOINT}/trainer/state.json", lambda path: read_state(path.parents[1])
    ),
    _Kind("moments of a training", f"{_CHECKPOINT}/trainer/optimizer.safetensors", read_tensors, alone=True),
    _Kind("configuration of a run", "run/config.json", read_run_config, alone=True),
    _Kind("record of a run", "run/run.json", lambda path: read_training(path.parent)),
    _Kind("log of a run", "run/log.jsonl", _read_log),
    _Kind("data of a run", "run/data.json", lambda path: remembered_folder(path.parent)),
    _Kind("labels of a folder", "labels.json", lambda path: read_folder_labels(path.parent), alone=True),
    _Kind("result", "result.json", ResultRecord.load, alone=True),
    _Kind(
        "record of a preparation", "prepared/prepared.jsonl", lambda path: PreparedRecord.read(path.parent)
    ),
    _Kind("list of outputs", ".seqdis-outputs.json", lambda path: made_in(path.parent), alone=True),
)
