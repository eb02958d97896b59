"""Speaker verification on factors that know the speaker, and on others that do not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from tests.eval.spoken import Spoken, Voices

from seqdis.core.disentangler import Disentangler
from seqdis.core.errors import InputError
from seqdis.eval.metrics.eer import speaker_eer
from seqdis.eval.protocols.speaker import speaker_protocol
from seqdis.eval.speech.speakers import speakers_of, verify_speakers
from seqdis.eval.speech.stopping import stopping_state
from seqdis.eval.speech.utterances import embed_sequences


def test_a_perfect_model_knows_the_speaker_from_the_static_factor_alone() -> None:
    metrics = speaker_protocol(Voices().eval(), Spoken(40, 0), Spoken(60, 1))
    assert metrics["eer_static"].value == 0
    assert metrics["eer_dynamic"].value == pytest.approx(0.5, abs=0.12)
    assert metrics["eer_gap"].value == metrics["eer_dynamic"].value
    assert metrics["eer_static"].n == 60  # utterances, not chunks
    assert metrics["eer_frames"].value < 0.35
    assert metrics["mse"].chance is not None
    assert metrics["mse"].value < 0.01 * metrics["mse"].chance


def test_a_reversed_model_has_a_negative_gap() -> None:
    metrics = speaker_protocol(Voices(reverse=True).eval(), Spoken(40, 0), Spoken(60, 1))
    assert metrics["eer_gap"].value < -0.3


def test_embeddings_are_means_over_chunks_and_steps() -> None:
    dataset, model = Spoken(30, 2, noise=1.0), Voices().eval()
    found = verify_speakers(embed_sequences(model, dataset), dataset, identity="speaker")
    batch = dataset.fetch(range(len(dataset)))
    names = [key.split("@")[0] for key in batch.keys]
    static, dynamic = [], []
    for i in range(30):
        chunks = torch.stack([x for x, name in zip(batch.x, names, strict=True) if name == f"u{i}"])
        static.append(chunks[..., :2].mean(1).mean(0))
        dynamic.append(chunks[..., 2:].mean(0).mean(0))
    who = torch.tensor(dataset.who)
    assert found.static.value == pytest.approx(speaker_eer(torch.stack(static), who).value, abs=1e-6)
    assert found.dynamic.value == pytest.approx(speaker_eer(torch.stack(dynamic), who).value, abs=1e-6)


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ("singer", r"no label 'singer' that says who; their labels: speaker, tempo$"),
        ("tempo", r"label 'tempo' is of the dynamics; allowed: one that says who$"),
    ],
)
def test_a_label_that_does_not_say_who_is_refused(identity: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        speakers_of(Spoken(8, 0), identity)


@pytest.fixture
def states() -> dict[str, Callable[[], Disentangler]]:
    """The first state is right about the voices, the second one wrong."""
    return {"early": lambda: Voices().eval(), "late": lambda: Voices(reverse=True).eval()}


class Turned(Spoken):
    """Voices and words have changed places."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__(count, seed)
        self.frames = [x.roll(2, dims=1) for x in self.frames]


def test_published_mode_stops_by_the_test_split_and_corrected_does_not(
    states: dict[str, Callable[[], Disentangler]],
) -> None:
    val, test = Spoken(40, 0), Turned(40, 1)
    chosen = {
        mode: stopping_state(states, val, test, identity="speaker", mode=mode)  # type: ignore[arg-type]
        for mode in ("published", "corrected")
    }
    assert chosen == {"published": "late", "corrected": "early"}


def test_the_last_state_stands_where_validation_cannot_choose(
    states: dict[str, Callable[[], Disentangler]],
) -> None:
    alone = Spoken(4, 0)  # each speaker once
    assert stopping_state(states, alone, Spoken(40, 1), identity="speaker", mode="corrected") == "late"
    one = {"only": states["early"]}
    assert stopping_state(one, alone, alone, identity="speaker", mode="published") == "only"
    with pytest.raises(InputError, match="has kept no state"):
        stopping_state({}, alone, alone, identity="speaker", mode="corrected")
