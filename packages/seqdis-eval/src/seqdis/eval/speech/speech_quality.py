"""Scores of the sound of utterances that a model makes: predicted opinions, and whose voice it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from seqdis.core.data.sound import Sound
from seqdis.core.metric import Estimate, Metrics
from seqdis.eval.metrics.dnsmos import OpinionScore, mean_opinion
from seqdis.eval.metrics.eer import speaker_eer
from seqdis.eval.metrics.voice_similarity import voice_similarity
from seqdis.eval.speech.resynthesis import Resynthesis
from seqdis.eval.speech.voices import VoiceEmbedding

__all__ = ["speech_quality", "voice_quality"]


def speech_quality(
    made: Sequence[Resynthesis], score: Callable[[Sound], OpinionScore], *, seed: int = 0
) -> Metrics:
    """DNSMOS of reconstructions and swaps, with that of the recordings and of what the vocoder alone makes of them.

    Args:
        made: Utterances that the model makes.
        score: Function that scores a sound, as :class:`~seqdis.eval.metrics.dnsmos.DNSMOS` does.
        seed: Seed of the bootstrap.

    Returns:
        ``dnsmos`` (of reconstructions, as in DiffSDA's Tab. 12), ``dnsmos_swap``, ``dnsmos_vocoded`` and, where the
        dataset kept sound, ``dnsmos_recorded``: P.808. The three scores of P.835 are cases,
        ``p835_overall@reconstruction`` and so on. ``chance`` is what noise of the recording's level gets.

    Raises:
        InputError: The arguments are none that :class:`~seqdis.eval.metrics.dnsmos.DNSMOS` takes.
    """
    kinds: dict[str, list[Sound]] = {
        "reconstruction": [one.reconstruction.sound for one in made],
        "swap": [one.swap.sound for one in made],
        "vocoded": [one.vocoded.sound for one in made],
    }
    recorded = [one.recorded for one in made if one.recorded is not None]
    if recorded:
        kinds["recorded"] = recorded
    names = {"reconstruction": "dnsmos"} | {kind: f"dnsmos_{kind}" for kind in list(kinds)[1:]}
    metrics, cases = Metrics(), Metrics()
    noise = _noise([one.vocoded.sound for one in made], seed)
    floor = mean_opinion([score(sound) for sound in noise], generator=torch.Generator().manual_seed(seed))
    for kind, sounds in kinds.items():
        opinions = mean_opinion(
            [score(sound) for sound in sounds], generator=torch.Generator().manual_seed(seed)
        )
        overall = opinions["p808"].model_copy(update={"chance": floor["p808"].value})
        metrics |= Metrics.of({names[kind]: overall}, role="speech")
        cases |= _p835(opinions, kind)
    return metrics | cases | _p835(floor, "noise")


def _p835(opinions: Mapping[str, Estimate], case: str) -> Metrics:
    """The three scores of P.835, of one kind of sound."""
    scores = {f"p835_{name}": score for name, score in opinions.items() if name != "p808"}
    return Metrics.of(scores, role="speech", case=case)


def _noise(sounds: Sequence[Sound], seed: int) -> list[Sound]:
    """White noise as long and as loud as the first few sounds."""
    generator = torch.Generator().manual_seed(seed)
    return [
        Sound(torch.randn(len(one.samples), generator=generator) * one.samples.std(), one.rate)
        for one in sounds[:4]
    ]


def voice_quality(
    made: Sequence[Resynthesis], speakers: Tensor, embed: VoiceEmbedding, *, seed: int = 0
) -> Metrics:
    """CSIM of swaps with the utterance that lent its static factor.

    Args:
        made: Utterances that the model makes.
        speakers: Speaker of each utterance of the dataset, ``(U,)``.
        embed: The speaker network.
        seed: Seed of the bootstrap.

    Returns:
        ``csim``: of swaps; its ``chance`` is the similarity of the two real utterances, what a swap that changes
        nothing gets. ``csim_reconstruction``: of reconstructions with their originals. ``eer_embedding``: how well
        the network itself tells real test speakers apart, without which the others say little; left out where no
        speaker has two utterances.
    """
    generator = torch.Generator().manual_seed(seed)
    real = {one.words[0]: embed(one.vocoded.frames, one.vocoded.sound) for one in made}
    real |= {
        one.voice[0]: embed(one.voice_vocoded.frames, one.voice_vocoded.sound)
        for one in made
        if one.voice[0] not in real
    }
    voice = torch.stack([real[one.voice[0]] for one in made])
    words = torch.stack([real[one.words[0]] for one in made])
    swapped = torch.stack([embed(one.swap.frames, one.swap.sound) for one in made])
    rebuilt = torch.stack([embed(one.reconstruction.frames, one.reconstruction.sound) for one in made])
    estimates = {
        "csim": voice_similarity(swapped, voice, other=words, generator=generator),
        "csim_reconstruction": voice_similarity(rebuilt, words, generator=generator),
    }
    who = speakers[list(real)]
    if 1 < len(who.unique()) < len(who):
        estimates["eer_embedding"] = speaker_eer(torch.stack(list(real.values())), who, resamples=200)
    return Metrics.of(estimates, role="speech")
