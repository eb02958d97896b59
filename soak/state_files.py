"""Whole files of every kind that commands write for one another, made by the commands and classes themselves."""

from __future__ import annotations

import contextlib
import json
import math
from pathlib import Path

import torch
from torch import Tensor, nn

from seqdis.core.capabilities import codebook_of
from seqdis.core.config import Config, PriorConfig, RunConfig
from seqdis.core.data.labels import Label
from seqdis.core.data.prepared_record import PreparedRecord
from seqdis.core.errors import InputError
from seqdis.core.factors import Factors
from seqdis.core.pretrained import build_model
from seqdis.core.priors.store import get_prior, prior_config
from seqdis.core.quantize.stream import CodeStream, write_codes
from seqdis.core.registry import list_methods, list_plugins, list_presets
from seqdis.eval.judge.judge_accuracy import JudgeAccuracy
from seqdis.eval.judge.sequence_judge import SequenceJudge
from soak.commands import seqdis
from soak.scenarios import SCENARIOS

__all__ = ["smallest_preset", "write_state"]


def write_state(place: Path) -> int:
    """Write them into the working folder, and return the exit code of the first command that fails, or 0."""
    torch.manual_seed(0)
    for write in (_by_commands, _models_and_priors, _codes, _judges, _small_files):
        code = write(place)
        if code:
            return code
    return 0


def smallest_preset(method: str) -> RunConfig | None:
    """The preset of a method with the smallest sequences; None where all of its presets need files to be complete."""
    whole = [
        config
        for config in (build() for build in list_presets().values())
        if config.method == method and config.data.frame_shape and config.codec.name == "identity"
    ]
    return min(
        whole, key=lambda config: config.data.length * math.prod(config.data.frame_shape), default=None
    )


def _by_commands(place: Path) -> int:
    """A run, factors of its data, shards of them, latents and a result."""
    by_name = {scenario.command: scenario for scenario in SCENARIOS}
    encoding = next(one for one in SCENARIOS if one.command == "encode")
    encoding.files(place)
    for words in (*encoding.before, ("encode", "run", "data", "--out", "factors.safetensors")):
        code = seqdis(words)
        if code:
            return code
    latents = by_name["data encode"]
    latents.files(place)
    toy = next(one for one in SCENARIOS if one.command == "train").words
    commands = (
        ("encode", "run", "data", "--out", "shards"),
        tuple("latents" if word == "result" else word for word in latents.words),
        tuple("toy" if word == "run" else word for word in toy),
        ("eval", "reconstruction", "toy", "--out", "result.json"),
    )
    for table in (place / "data").glob("*.npy"):
        table.rename(table.with_suffix(".array"))
    for number, words in enumerate(commands):
        if number == 1:  # the other commands learn from the tables beside them
            for path in (place / "data").glob("*.csv"):
                path.unlink()
            for path in (place / "data").glob("*.array"):
                path.rename(path.with_suffix(".npy"))
        code = seqdis(words)
        if code:
            return code
    return 0


def _models_and_priors(place: Path) -> int:
    """An untrained model of every method, and a prior of every kind that its factors allow."""
    missing = set(list_plugins("priors"))
    for method in list_methods():
        config = smallest_preset(method)
        if config is None:
            continue
        model = build_model(config).eval()
        model.save_pretrained(place / "models" / method)
        clips = torch.rand(2, config.data.length, *config.data.frame_shape)
        factors = model.encode(clips)
        for kind in sorted(missing):
            if _write_prior(kind, factors, codebook_of(model), place):
                missing.discard(kind)
    return 0


def _write_prior(kind: str, factors: Factors, codebook: Tensor | None, place: Path) -> bool:
    try:
        settings = _small_settings(kind)
        prior = get_prior(kind).for_factors(settings, factors, codebook=codebook)
        prior.save(place / "priors" / kind, about={"sequences": 2})
    except InputError:  # these factors are not of its kind
        return False
    return True


def _small_settings(kind: str) -> Config:
    """The settings of a kind of prior with every size that may be small set to 16."""
    changes: dict[str, int] = {}
    for name, value in prior_config(PriorConfig(), kind, {}).model_dump().items():
        if isinstance(value, int) and not isinstance(value, bool) and value > 16:
            with contextlib.suppress(InputError):
                prior_config(PriorConfig(), kind, {**changes, name: 16})
                changes[name] = 16
    return prior_config(PriorConfig(), kind, changes)


def _codes(place: Path) -> int:
    draw = torch.Generator().manual_seed(0)
    stream = CodeStream(torch.randint(0, 16, (40, 3), generator=draw) ** 2 // 16, 16, 25.0)
    (place / "codes").mkdir()
    write_codes(place / "codes" / "fixed.sqc", stream, coding="fixed")
    write_codes(place / "codes" / "entropy.sqc", stream, coding="entropy")
    return 0


class _Scripted(nn.Module):
    """A judge of one's own in TorchScript."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Logits of three classes."""
        return self.layer(x.mean(dim=1))


def _judges(place: Path) -> int:
    labels = {"level": Label(("low", "middle", "high"), "static")}
    judge = SequenceJudge(labels=labels, frame_shape=(8,))
    accuracy = JudgeAccuracy(joint=1.0, labels={"level": 1.0}, n=10)
    judge.save(place / "judge.safetensors", accuracy=accuracy, origin="0" * 64)
    torch.jit.trace(_Scripted(), torch.zeros(2, 6, 8)).save(str(place / "judge.pt"))
    return 0


def _small_files(place: Path) -> int:
    labels = {"labels": {"who": "static"}, "clips": {"a.csv": {"who": "x"}, "b.csv": {"who": "y"}}}
    (place / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    (place / ".seqdis-outputs.json").write_text('{"files": ["a.csv", "b.csv"]}\n', encoding="utf-8")
    (place / "prepared").mkdir()
    record = PreparedRecord(place / "prepared", {"modality": "toy", "every": 2})
    record.write()
    record.add("a.npy", {"source": "a.npy", "version": "0", "steps": 3})
    return 0
