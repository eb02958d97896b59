"""Speech content read from each factor: a probe of speech content wherever transcripts exist."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from pydantic import Field
from rapidfuzz.distance import Levenshtein

from seqdis.core.base_config import LONGEST, WIDEST
from seqdis.core.data.sequence_dataset import SequenceDataset
from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.core.metric import Metrics
from seqdis.core.progress import Progress
from seqdis.eval.engine.open_run import OpenRun
from seqdis.eval.engine.progress import stage
from seqdis.eval.metrics.token_error_rate import token_error_rate
from seqdis.eval.protocols.context import Context
from seqdis.eval.protocols.options import SeedsOption
from seqdis.eval.protocols.protocol import Protocol
from seqdis.eval.speech.content_head import HeadBudget, train_head
from seqdis.eval.speech.subwords import Subwords
from seqdis.eval.speech.utterances import EncodedUtterance, encode_utterances

__all__ = ["Content", "best_constant", "content_protocol"]

_SOURCES = ("static", "dynamic", "frames")
_CANDIDATES = 256


def best_constant(tokens: Sequence[Sequence[int]], *, generator: torch.Generator) -> list[int]:
    """The one answer with the fewest errors over all utterances, of nothing at all and their own transcripts.

    Args:
        tokens: Tokens of each utterance.
        generator: Chooses 256 transcripts and utterances where there are more.
    """
    drawn = [tokens[i] for i in torch.randperm(len(tokens), generator=generator)[:_CANDIDATES].tolist()]
    candidates: set[tuple[int, ...]] = {(), *(tuple(one) for one in drawn)}

    def errors(answer: tuple[int, ...]) -> int:
        return sum(Levenshtein.distance(one, answer) for one in drawn)

    best: tuple[int, ...] = min(sorted(candidates), key=errors)
    return list(best)


def content_protocol(
    model: Disentangler,
    train_set: SequenceDataset,
    test_set: SequenceDataset,
    *,
    seed: int = 0,
    vocabulary: int = 64,
    budget: HeadBudget | None = None,
    progress: Progress | None = None,
) -> Metrics:
    """Token error rate of a small CTC head that reads an utterance's subwords from one factor alone.

    The dynamic factor should tell what is said (a low rate), the static one should not (a rate at chance, that of
    the best constant answer). The same head on the frames themselves says how low a rate can be here.

    Args:
        model: A model of any method.
        train_set: Training split, whose transcripts train the subwords and the heads.
        test_set: Test split whose utterances are read.
        seed: Seed of the heads, and of the method's draws.
        vocabulary: Subwords at most.
        budget: Budget of the training of each head; :class:`~seqdis.eval.speech.content_head.HeadBudget`'s own when omitted.
        progress: Called as the work advances.

    Returns:
        ``token_error_from_static``, ``token_error_from_dynamic``, ``token_error_from_frames``.

    Raises:
        InputError: There are no transcripts, or no subwords without the extra ``speech``.
    """
    texts = [_texts(dataset, split) for dataset, split in ((train_set, "training"), (test_set, "test"))]
    subwords = Subwords(texts[0], size=vocabulary)
    known, held_out = ([subwords.encode(text) for text in some] for some in texts)
    utterances = [
        encode_utterances(model, dataset, seed=seed, progress=stage(progress, first, first + 0.1))
        for dataset, first in ((train_set, 0.0), (test_set, 0.1))
    ]
    constant = best_constant(known, generator=torch.Generator().manual_seed(seed))
    rates = {}
    for number, source in enumerate(_SOURCES):
        train, test = ([_of(one, source) for one in some] for some in utterances)
        part = stage(progress, 0.2 + 0.8 * number / 3, 0.2 + 0.8 * (number + 1) / 3)
        head = train_head(
            train, known, vocabulary=len(subwords), seed=seed, budget=budget or HeadBudget(), progress=part
        )
        rates[f"token_error_from_{source}"] = token_error_rate(
            held_out, head.read(test), constant=constant, generator=torch.Generator().manual_seed(seed)
        )
    rates["token_error_from_static"] = rates["token_error_from_static"].model_copy(
        update={"direction": "higher"}
    )
    return Metrics.of(rates, role="content")


def _of(utterance: EncodedUtterance, source: str) -> torch.Tensor:
    value: torch.Tensor = getattr(utterance, source)
    return value


def _texts(dataset: SequenceDataset, split: str) -> Sequence[str]:
    recordings = dataset.recordings()
    if recordings is None or recordings.texts is None:
        raise InputError(
            f"content: the {split} split has no transcripts; allowed: data whose recordings say what is spoken"
        )
    return recordings.texts


class Content(Protocol):
    """Token error rate of a small CTC recogniser that hears one factor alone, wherever transcripts exist."""

    name = "content"
    requires = "recordings with transcripts"
    headline = ("token_error_from_dynamic", "token_error_from_static", "token_error_from_frames")

    class Options(SeedsOption):
        """The training of the recognisers, and how often the measurement is repeated."""

        seeds: int = Field(
            3, ge=1, le=LONGEST, description="repetitions of each run's measurement, from --seed on"
        )
        head_steps: int = Field(600, ge=1, le=LONGEST, description="steps of the training of each recogniser")
        vocabulary: int = Field(64, ge=2, le=WIDEST, description="subwords at most")

    def applies_to(self, run: OpenRun) -> bool:
        """Whether its recordings say what is spoken."""
        recordings = run.test_set.recordings()
        return recordings is not None and recordings.texts is not None

    def measure(self, context: Context) -> Metrics:
        """The figures of all runs and seeds."""
        options = context.options

        def measure(number: int, seed: int, progress: Progress) -> Metrics:
            run = context.runs[number]
            return content_protocol(
                run.model, run.train_set, run.test_set, seed=seed, vocabulary=options.vocabulary,
                budget=HeadBudget(steps=options.head_steps), progress=progress,
            )  # fmt: skip

        return context.repeat(measure, what="listening to")
