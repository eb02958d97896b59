from __future__ import annotations

import pytest
import torch
from tests.eval.spoken import STEPS, Spoken, Voices

from seqdis.core.data.array_sequences import ArraySequences
from seqdis.core.errors import InputError
from seqdis.eval.speech.utterances import (
    chunked,
    embed_sequences,
    encode_utterances,
    mean_over_steps,
    utterances_of,
)


@pytest.mark.parametrize("total", [8, 9, 15, 16, 17, 40])
def test_chunks_join_to_the_recording(total: int) -> None:
    frames = torch.randn(total, 3)
    cut = chunked(frames, 8)
    assert cut.chunks.shape == (-(-total // 8), 8, 3)
    assert torch.equal(cut.chunks[-1], frames[-8:])
    assert torch.equal(cut.join(cut.chunks), frames)


def test_a_recording_shorter_than_a_sequence_is_refused() -> None:
    with pytest.raises(InputError, match="a recording of 7 steps; at least 8 are needed"):
        chunked(torch.randn(7, 3), 8)


def test_the_mean_over_an_utterances_sequences_is_that_of_a_loop() -> None:
    dataset = Spoken(12, seed=0)
    index = utterances_of(dataset)
    values = torch.randn(len(dataset), 5)
    names = [key.split("@")[0] for key in dataset.fetch(range(len(dataset))).keys]
    for row, number in zip(index.mean(values), index.recordings, strict=True):
        own = [value for value, name in zip(values, names, strict=True) if name == f"u{number}"]
        torch.testing.assert_close(row, torch.stack(own).mean(0))
    assert index.first(dataset.all_labels()["speaker"]).tolist() == dataset.who


def test_without_recordings_each_sequence_is_an_utterance() -> None:
    class Silent(ArraySequences):
        def recordings(self) -> None:  # type: ignore[override]
            return None

    plain = Silent(torch.randn(3, 8, 4))
    index = utterances_of(plain)
    assert index.numbers.tolist() == [0, 1, 2] == list(index.recordings)
    with pytest.raises(InputError, match="do not say what their sequences were cut from"):
        encode_utterances(Voices().eval(), plain)


def test_steps_that_do_not_exist_have_no_part_in_a_mean() -> None:
    values = torch.randn(2, 5, 3)
    mask = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    wanted = torch.stack([values[0].mean(0), values[1, :2].mean(0)])
    torch.testing.assert_close(mean_over_steps(values, mask), wanted)
    torch.testing.assert_close(mean_over_steps(values, None), values.mean(1))


def test_embeddings_of_sequences_do_not_depend_on_the_batch() -> None:
    dataset, model = Spoken(20, seed=3), Voices().eval()
    whole, parts = (embed_sequences(model, dataset, batch_size=size) for size in (64, 7))
    assert torch.equal(whole.static, parts.static)
    x = dataset.fetch(range(len(dataset))).x
    torch.testing.assert_close(whole.dynamic, x[..., 2:].mean(1))


def test_factors_stand_at_every_step_of_the_recording() -> None:
    dataset = Spoken(40, seed=1)
    found = encode_utterances(Voices().eval(), dataset)
    assert len(found) == 40
    for one, frames in zip(found, dataset.frames, strict=True):
        assert torch.equal(one.frames, frames)
        assert torch.equal(one.dynamic, frames[:, 2:])
        torch.testing.assert_close(one.static[0], frames[:STEPS, :2].mean(0))
        torch.testing.assert_close(one.static[-1], frames[-STEPS:, :2].mean(0))
    alone = encode_utterances(Voices().eval(), dataset, chosen=[35])[0]
    assert torch.equal(alone.static, found[35].static)
