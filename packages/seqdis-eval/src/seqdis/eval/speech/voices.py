"""Speaker embeddings: who speaks, as a vector, of any network that keeps the protocol."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from seqdis.core.cache import cache_root
from seqdis.core.data.recordings import Recordings
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.data.sound import Sound
from seqdis.core.errors import InputError
from seqdis.core.finite import check_finite
from seqdis.core.progress import Progress
from seqdis.core.sequences import Sequences
from seqdis.eval.features.torchscript import call_script, load_script
from seqdis.eval.judge.judge_cache import judge_for
from seqdis.eval.judge.judge_training import JudgeBudget
from seqdis.eval.judge.sequence_judge import SequenceJudge

__all__ = ["JudgedVoice", "ScriptedVoice", "VoiceEmbedding", "WavLMVoice", "judge_of_voices", "open_voice"]

_BUDGET = JudgeBudget(steps=300, batch_size=32)
"""Half of the steps and of the batch of a judge of all labels: there is one to learn."""


class VoiceEmbedding(Protocol):
    """A network that tells speakers apart."""

    @property
    def name(self) -> str:
        """Name of the embedding in a report."""

    def __call__(self, frames: Tensor, sound: Sound) -> Tensor:
        """The embedding ``(F,)`` of an utterance: its frames ``(T, *frame)``, and what they sound like."""


class JudgedVoice:
    """Features of a judge that was trained to name the speakers; it reads the frames.

    Args:
        judge: Trained on the training split's real utterances.
    """

    name = "a judge trained on the training split's speakers"

    def __init__(self, judge: SequenceJudge) -> None:
        self._judge = judge.eval()

    @torch.no_grad()
    def __call__(self, frames: Tensor, sound: Sound) -> Tensor:
        """Like the method that it implements; see :class:`VoiceEmbedding`."""
        device = next(self._judge.parameters()).device
        return self._judge.features(frames[None].to(device))[0].cpu()


class ScriptedVoice:
    """A speaker network of others as TorchScript, such as an exported ECAPA-TDNN; it hears the sound.

    Args:
        path: A script from samples ``(1, N)`` at ``rate`` to an embedding ``(1, F)``; nothing here fetches one.
        rate: Sampling rate of the sounds that it takes, in Hz.

    Raises:
        InputError: The file is missing or no TorchScript, or a weight is not finite.
    """

    def __init__(self, path: Path, *, rate: int = 16000) -> None:
        if not path.is_file():
            raise InputError(
                f"{path}: no such file; needed is a TorchScript module from samples (1, N) at {rate} Hz to a speaker "
                "embedding (1, F), such as an exported ECAPA-TDNN"
            )
        self._network = load_script(path)
        self.name, self._path, self._rate = path.name, path, rate

    @torch.no_grad()
    def __call__(self, frames: Tensor, sound: Sound) -> Tensor:
        """Like the method that it implements; see :class:`VoiceEmbedding`.

        Raises:
            InputError: The sound has another rate, or the script fails or returns another shape or what is not finite.
        """
        if sound.rate != self._rate:
            raise InputError(f"{self._path}: hears {self._rate} Hz; got {sound.rate} Hz")
        what = f"cannot hear {sound.seconds:.3g} s"
        outcome = call_script(what, self._path, lambda: self._network(sound.samples[None]))
        if not isinstance(outcome, Tensor) or outcome.ndim != 2 or len(outcome) != 1 or outcome.is_complex():
            received = tuple(outcome.shape) if isinstance(outcome, Tensor) else type(outcome).__name__
            raise InputError(f"{self._path}: returned {received}; allowed: an embedding (1, F)")
        check_finite(outcome, f"{self._path}: embedding")
        return outcome[0].float()


class WavLMVoice:
    """WavLM with an x-vector head, by transformers (Chen et al. 2022); it hears the sound.

    Args:
        network: Network from samples ``(1, N)`` to an output with ``embeddings (1, F)``.
        normalized: The network takes samples of mean 0 and deviation 1.
        rate: Sampling rate of the sounds that it takes, in Hz.
    """

    MODEL = "microsoft/wavlm-base-plus-sv"
    """Whose files are looked for."""
    name = "WavLM, x-vectors (transformers)"

    def __init__(self, network: nn.Module, *, normalized: bool, rate: int) -> None:
        self._network, self._normalized, self._rate = network.eval(), normalized, rate

    @classmethod
    def open(cls, folder: Path | None = None) -> WavLMVoice:
        """With the published weights, or those of a folder of the same form; nothing here fetches them.

        Args:
            folder: Folder with ``config.json``, ``preprocessor_config.json`` and ``model.safetensors`` or
                ``pytorch_model.bin``; ``SEQDIS_CACHE/hub/wavlm-base-plus-sv`` when omitted.

        Raises:
            InputError: A file is absent, or they are of another network.
        """
        from transformers import Wav2Vec2FeatureExtractor, WavLMForXVector

        library: Any = WavLMForXVector  # what it returns depends on an argument, as its types do not say
        home = folder or cache_root() / "hub" / cls.MODEL.rpartition("/")[2]
        weights = ("model.safetensors", "pytorch_model.bin")
        needed = ["config.json", "preprocessor_config.json"]
        missing = [name for name in needed if not (home / name).is_file()]
        if not any((home / name).is_file() for name in weights):
            missing.append(" or ".join(weights))
        if missing:
            raise InputError(
                f"speaker embedding (WavLM): no {', '.join(missing)} in {home}; get them from "
                f"https://huggingface.co/{cls.MODEL}"
            )
        try:
            settings = Wav2Vec2FeatureExtractor.from_pretrained(str(home), local_files_only=True)
            network, report = library.from_pretrained(
                str(home), local_files_only=True, output_loading_info=True
            )
        except Exception as error:  # libraries of weights raise whatever they like
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise InputError(f"{home}: cannot be read as WavLM with x-vectors: {first}") from error
        if report["missing_keys"]:
            raise InputError(
                f"{home}: weights without {sorted(report['missing_keys'])[0]}; allowed: WavLM with x-vectors, such as "
                f"{cls.MODEL}"
            )
        for name, value in network.state_dict().items():
            check_finite(value, f"{home}: {name}")
        return cls(network, normalized=settings.do_normalize, rate=settings.sampling_rate)

    @torch.no_grad()
    def __call__(self, frames: Tensor, sound: Sound) -> Tensor:
        """Like the method that it implements; see :class:`VoiceEmbedding`.

        Raises:
            InputError: The sound has another rate.
        """
        if sound.rate != self._rate:
            raise InputError(f"{self.name}: hears {self._rate} Hz; got {sound.rate} Hz")
        x = sound.samples[None].float()
        if self._normalized:
            x = (x - x.mean()) / (x.var(correction=0) + 1e-7).sqrt()
        embedding: Tensor = self._network(x).embeddings[0]
        return embedding.float()


def open_voice(given: Path) -> VoiceEmbedding:
    """The speaker network that ``--voices`` names: ``wavlm``, a folder of that form, or a TorchScript file.

    Raises:
        InputError: See :meth:`WavLMVoice.open` and :class:`ScriptedVoice`.
    """
    if given.is_dir():
        return WavLMVoice.open(given)
    return WavLMVoice.open() if str(given) == "wavlm" else ScriptedVoice(given)


class _OneLabel(SequenceDataset):
    """A dataset with one of its labels alone."""

    def __init__(self, dataset: SequenceDataset, name: str) -> None:
        self._dataset, self._name, self.labels = dataset, name, {name: dataset.labels[name]}

    @property
    def shape(self) -> tuple[int, ...]:
        return self._dataset.shape

    def __len__(self) -> int:
        return len(self._dataset)

    def fetch(self, indices: Sequence[int], *, epoch: int = 0) -> Sequences:
        batch = self._dataset.fetch(indices, epoch=epoch)
        return replace(batch, labels={self._name: batch.labels[self._name]})

    def recordings(self) -> Recordings | None:
        """The recordings of the dataset."""
        return self._dataset.recordings()

    def all_labels(self) -> dict[str, Tensor]:
        """The label of the whole dataset, ``(N,)``."""
        return {self._name: self._dataset.all_labels()[self._name]}


def judge_of_voices(
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    identity: str,
    path: Path | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    progress: Progress | None = None,
) -> JudgedVoice:
    """The voice embedding of a judge that learns to name the training split's speakers, and nothing else.

    Args:
        train_set: Training split that it learns from.
        test_set: Test split of the same data.
        identity: The label that says who.
        path: File in which the judge is kept for the next time.
        seed: Seed of its training.
        device: Device of the network.
        progress: Called with steps done and allowed.

    Raises:
        InputError: There are fewer than 20 training sequences.
    """
    views = [_OneLabel(dataset, identity) for dataset in (train_set, test_set)]
    outcome = judge_for(*views, path=path, seed=seed, device=device, budget=_BUDGET, progress=progress)
    return JudgedVoice(outcome[0])
