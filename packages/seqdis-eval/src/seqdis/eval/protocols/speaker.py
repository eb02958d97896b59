"""Speaker verification by each factor, over all pairs of test utterances."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import Field
from torch import Tensor

from seqdis.core.base_config import LONGEST
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.core.registry import get_modality
from seqdis.core.starting_noise import NoiseChoice
from seqdis.eval.engine.batches import batches, chosen_clips
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.progress import stage
from seqdis.eval.engine.reconstruction_error import measure_reconstruction
from seqdis.eval.metrics import dnsmos
from seqdis.eval.metrics.eer import speaker_eer
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import ClipsOption, ModeOption, SamplerOptions, SeedsOption
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.report.blocks import Section
from seqdis.eval.report.sounds import resynthesis_cards
from seqdis.eval.speech.resynthesis import Resynthesis, different_voices, resynthesize
from seqdis.eval.speech.speakers import speakers_of, verify_speakers
from seqdis.eval.speech.speech_quality import speech_quality, voice_quality
from seqdis.eval.speech.stopping import stopping_state
from seqdis.eval.speech.utterances import embed_sequences, mean_over_steps, utterances_of
from seqdis.eval.speech.voices import judge_of_voices, open_voice

__all__ = ["Speaker", "speaker_protocol"]


def speaker_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    identity: str = "speaker",
    seed: int = 0,
    resamples: int = 200,
    clips: int | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Static EER, dynamic EER, their gap (DiffSDA, Tab. 4), and the spectrogram's error.

    Which state of a training is measured is where the two modes differ: see
    :func:`~seqdis.eval.speech.stopping.stopping_state`.

    Args:
        model: A model of any method.
        train_set: Training split, for the baselines.
        test_set: All pairs of its utterances are compared.
        identity: The label that says who.
        seed: Seed of the method's draws and the bootstrap.
        resamples: Number of draws of the bootstrap over speakers.
        clips: Sequences that are reconstructed, at most, chosen by the seed; all when omitted.
        progress: Called as the work advances.

    Returns:
        ``eer_static``, ``eer_dynamic`` and ``eer_gap``; ``eer_frames``, the static EER of a trivial embedding, the
        mean and deviation over time of the frames themselves; ``mse``, the mean squared error of reconstructions in
        natural units, with the mean frame's as ``chance``.

    Raises:
        InputError: No label says who, or there are too few utterances to compare.
    """
    speakers = speakers_of(test_set, identity)
    embeddings = embed_sequences(model, test_set, seed=seed, progress=stage(progress, 0.0, 0.3))
    verified = verify_speakers(embeddings, test_set, identity=identity, seed=seed, resamples=resamples)
    known, held_out = _statistics(train_set), _statistics(test_set)
    scale = known.std(0).clamp(min=torch.finfo(torch.float32).tiny)
    trivial = utterances_of(test_set).mean((held_out - known.mean(0)) / scale)
    drawn = torch.Generator().manual_seed(seed)
    rates = {
        "eer_static": verified.static,
        "eer_dynamic": verified.dynamic,
        "eer_gap": verified.gap,
        "eer_frames": speaker_eer(trivial, speakers, resamples=resamples, generator=drawn),
    }
    errors = measure_reconstruction(
        model, train_set, test_set, names=("mse", "decoding_mse"), indices=chosen_clips(len(test_set), clips, seed=seed), seed=seed,
        progress=stage(progress, 0.3, 1.0),
    )  # fmt: skip
    return Metrics.of(rates, role="verification") | errors


def _statistics(dataset: SequenceDataset, *, batch_size: int = 256) -> Tensor:
    """Mean and deviation over time of each sequence's frames, ``(N, 2F)``."""
    rows = []
    for _, batch in batches(dataset, size=batch_size):
        x = batch.x.flatten(2)
        mean = mean_over_steps(x, batch.mask)
        variance = mean_over_steps((x - mean[:, None]).square(), batch.mask)
        rows.append(torch.cat([mean, variance.sqrt()], dim=1))
    return torch.cat(rows)


class Speaker(Protocol):
    """Equal error rates of speaker verification from each factor, over all pairs of test utterances.

    Where the frames have a sound, also DNSMOS and the similarity of voices, and a page to listen to. Of the states
    that a run has kept, the one with the largest gap on the validation split is measured (--mode published: on the
    test split).
    """

    name = "speaker"
    requires = "a label that says who speaks"
    noise = "dynamic"
    headline = ("eer_static", "eer_dynamic", "eer_gap")

    class Options(SamplerOptions, ClipsOption, SeedsOption, ModeOption):
        """The label of who speaks, and the utterances that are made audible."""

        identity: str = Field("speaker", description="the label that says who speaks, or who is seen")
        listen: int = Field(
            24, ge=0, le=LONGEST, description="test utterances that are made audible and scored; 0 for none"
        )
        voices: Path | None = Field(
            None,
            description="for CSIM: wavlm (or a folder with its files), or TorchScript from samples (1, N) at 16 kHz "
            "to a speaker embedding (1, F); a judge trained on the training split when omitted",
        )

    def swap_noise(self, options: Any) -> NoiseChoice | None:
        """That of the swaps that are listened to; None where nothing is."""
        return self.noise if options.listen else None

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds; what is listened to is that of the first run and seed."""
        identity = context.options.identity
        models = [self._stopped(context, run) for run in context.runs]
        pairs = []
        for run in context.runs:
            count = len(speakers_of(run.test_set, identity))
            pairs.append(context.pairs(run, "speaker", clips=count))
        self._sections: list[Section] | None = None

        def measure(number: int, seed: int, progress: Progress) -> Metrics:
            return self._measure_run(
                context, context.runs[number], models[number], pairs[number], seed, progress
            )

        return context.repeat(measure, what="listening to")

    def sections(self, context: Context) -> list[Section]:
        """Utterances to listen to, where the frames have a sound."""
        return self._sections or []

    def _stopped(self, context: Context, run: OpenRun) -> Disentangler:
        """The run's model in the state that the mode measures."""
        options = context.options
        speakers_of(run.test_set, options.identity)
        kept = sorted((run.folder / "checkpoints").glob("step-*/model.safetensors"))
        folders = {path.parent.name: path.parent for path in kept}
        if len(folders) < 2:
            return run.model
        states = {name: partial(context.load, folder) for name, folder in folders.items()}
        name = stopping_state(
            states, context.split(run, "val"), run.test_set, identity=options.identity, mode=options.mode,
            seed=context.seed,
        )  # fmt: skip
        context.note(f"{run.folder}: {name} of {', '.join(folders)} is measured")
        return context.load(folders[name])

    def _measure_run(
        self, context: Context, run: OpenRun, model: Disentangler, pairs: list[tuple[int, int]], seed: int,
        progress: Progress,
    ) -> Metrics:  # fmt: skip
        options, config = context.options, run.config.data
        modality = get_modality(run.config.modality)
        sounds = modality.to_sound(run.test_set.fetch([0]).x[0], config) is not None and options.listen > 0
        # What is missing is said before hours of work, not after.
        score = dnsmos.DNSMOS() if sounds else None
        embed = open_voice(options.voices) if sounds and options.voices is not None else None
        metrics = speaker_protocol(
            model, run.train_set, run.test_set, identity=options.identity, seed=seed, clips=context.clips,
            progress=stage(progress, 0.0, 0.5 if sounds else 1.0),
        )  # fmt: skip
        if score is None:
            return metrics
        who = speakers_of(run.test_set, options.identity)
        made = resynthesize(
            model, run.test_set, different_voices(who, pairs, count=options.listen), modality=modality,
            data=config, seed=seed, progress=stage(progress, 0.5, 0.8),
        )  # fmt: skip
        metrics |= speech_quality(made, score, seed=seed)
        network = embed or judge_of_voices(
            run.train_set, run.test_set, identity=options.identity,
            path=run.folder / f"voice-{options.identity}.safetensors", device=model.device,
            progress=stage(progress, 0.9, 1.0),
        )  # fmt: skip
        metrics |= voice_quality(made, who, network, seed=seed)
        if self._sections is None:
            self._sections = [_utterances_section(context, made, network.name)]
        return metrics


def _utterances_section(context: Context, made: list[Resynthesis], network: str) -> Section:
    note = (
        "Test utterances, chosen by the seed alone: the words of one in the voice of another. Frames are made audible "
        "by the modality's vocoder; what it makes of the recorded frames is the best that a model can reach. CSIM is "
        f"by {network}."
    )
    return Section("To listen to", [resynthesis_cards(context.showroom, made[:4])], note)
